"""Maps over pictures and weights under words; every colour is computed from the model's own numbers.

Letters: ``rows`` × ``columns`` pixels, ``t`` tokens of an answer, ``l`` layers, ``h`` heads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radvqa.report.figures.style import INK, MUTED, blank, look, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEAT, _WORDS = "inferno", "Blues"
_SIDE = 2.5  # inches of a picture
_UNDERLINED = 7  # of the answer's tokens, as seed 002's figure 11 has it


@dataclass(frozen=True)
class Titles:
    """What stands above a map.

    Attributes:
        question: that was asked.
        answer: that the model gave.
        method: in words.
        note: below the figure.
    """

    question: str
    answer: str
    method: str
    note: str = ""


def overlay(picture: NDArray[np.uint8], heat: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Lay a map over a picture, ``(rows, columns, 3)``; where it is 0 the picture stays as it is.

    Args:
        picture: ``(rows, columns)`` or with colours.
        heat: at least 0, of the same size; it is scaled to its largest value.
    """
    from matplotlib import colormaps

    grey = picture[..., None].repeat(3, 2) if picture.ndim == 2 else picture
    scaled = heat / heat.max() if heat.max() > 0 else np.zeros_like(heat)
    colours = colormaps[_HEAT](0.25 + 0.75 * scaled)[..., :3] * 255
    share = (0.85 * np.clip(1.05 * scaled - 0.05, 0, 1) ** 0.8)[..., None]  # faint ground would tint the picture
    mixed: NDArray[np.uint8] = np.clip((1 - share) * grey + share * colours, 0, 255).astype(np.uint8)
    return mixed


def map_figure(
    picture: NDArray[np.uint8],
    heat: NDArray[np.floating],
    titles: Titles,
    *,
    words: Sequence[tuple[str, float]] = (),
    tokens: Sequence[tuple[str, NDArray[np.floating]]] = (),
) -> "Figure":
    """Draw a picture, its map, and the weights of the question's words.

    Args:
        picture: ``(rows, columns)`` or with colours.
        heat: at least 0, ``(rows, columns)``.
        titles: question, answer, method.
        words: of the question with their weights.
        tokens: of the answer with maps of their own; the first two are drawn.
    """
    shown = [("", heat), *tokens[:2]]
    notes = [titles.note] if titles.note else []
    if heat.max() <= 0:
        notes.append("The map is zero everywhere: this method finds nothing that speaks for the answer.")
    with look():
        columns = 1 + len(shown)
        figure = blank(_SIDE + (1.75 if words else 1.25), _SIDE * columns)
        grid = figure.add_gridspec(2 if words else 1, columns, height_ratios=[_SIDE, 0.5] if words else [1])
        _picture(figure.add_subplot(grid[0, 0]), picture, "Picture")
        for column, (token, one) in enumerate(shown, start=1):
            place = figure.add_subplot(grid[0, column])
            _picture(place, overlay(picture, one), f"Token “{plain(token, 20)}”" if token else "Whole answer")
        if words:
            _word_row(figure.add_subplot(grid[1, :]), words, 34 * columns)
        _frame(figure, titles, notes, columns)
    return figure


def heads_figure(weights: NDArray[np.floating], titles: Titles) -> "Figure":
    """Draw how much each layer's heads look at the picture when the answer is told, ``(l, h)``."""
    with look():
        figure = blank(0.32 * len(weights) + 1.6)
        axes = figure.subplots()
        drawn = axes.imshow(weights, cmap=_HEAT, aspect="auto", vmin=0)
        axes.grid(False)
        axes.set_xlabel("Head")
        axes.set_ylabel("Layer")
        axes.set_xticks(range(weights.shape[1]))
        axes.set_yticks(range(weights.shape[0]))
        figure.colorbar(drawn, ax=axes, label="Attention on the picture")
        axes.set_title(_heading(titles), fontsize=10)
    return figure


def patch_figure(
    picture: NDArray[np.uint8],
    box: tuple[float, float, float, float],
    tokens: Sequence[tuple[str, float]],
    titles: Titles,
) -> "Figure":
    """Draw one patch, and how much each token of the answer looks at it (seed 002's figure 11).

    Args:
        picture: ``(rows, columns)`` or with colours.
        box: of the patch: left, top, width, height, in pixels.
        tokens: of the answer with their attention on the patch; the seven largest are underlined.
        titles: question, answer, method.
    """
    from matplotlib.patches import Rectangle

    with look():
        figure = blank(_SIDE + 1.1, _SIDE * 2.2)
        left, right = figure.subplots(1, 2)
        _picture(left, picture, "The patch")
        left.add_patch(Rectangle(box[:2], box[2], box[3], fill=False, edgecolor="#ffb000", linewidth=2))
        right.set_axis_off()
        right.set_title("Tokens of the answer", fontsize=9)
        _tokens(right, tokens)
        _frame(figure, titles, [titles.note], 2)
    return figure


def _frame(figure: "Figure", titles: Titles, notes: Sequence[str], columns: int) -> None:
    """Question and answer above, what the map shows below; long lines are broken."""
    wide = 44 * columns
    figure.suptitle(_heading(titles, wide), fontsize=10, x=0.01, ha="left")
    below = "\n".join(line for note in notes for line in wrap(note, wide))
    figure.supxlabel(below, fontsize=8, color=MUTED, x=0.01, ha="left")


def _heading(titles: Titles, wide: int = 80) -> str:
    return f"{titles.method}\nQ: {plain(titles.question, wide)}\nA: {plain(titles.answer, wide)}"


def _picture(axes: "Axes", shown: NDArray[np.uint8], title: str) -> None:
    axes.imshow(shown, cmap="gray", vmin=0, vmax=255)
    axes.set_axis_off()
    axes.set_title(title, fontsize=9)


def _word_row(axes: "Axes", words: Sequence[tuple[str, float]], letters: int) -> None:
    """Words in lines of so many letters, the darker the more they weigh."""
    axes.set_axis_off()
    most = max((weight for _, weight in words), default=0.0)
    x, y = 0.0, 0.9
    for word, weight in words:
        width = (len(word) + 1.8) / letters
        if x > 0 and x + width > 1:
            x, y = 0.0, y - 0.55
        axes.text(x, y, word, transform=axes.transAxes, fontsize=8.5, va="top", **_shade(weight, most))
        x += width


def _tokens(axes: "Axes", tokens: Sequence[tuple[str, float]]) -> None:
    most = max((weight for _, weight in tokens), default=0.0)
    largest = {place for place, _ in sorted(enumerate(tokens), key=lambda one: -one[1][1])[:_UNDERLINED]}
    x, y = 0.0, 0.95
    for place, (token, weight) in enumerate(tokens):
        width = (len(token) + 2) / 26
        if x > 0 and x + width > 1:
            x, y = 0.0, y - 0.2
        axes.text(x, y, token, transform=axes.transAxes, fontsize=11, va="top", **_shade(weight, most))
        under = "▔" if place in largest and weight > 0 else ""
        axes.text(x, y - 0.095, f"{under} {weight:.1%}", transform=axes.transAxes, fontsize=7, va="top", color=MUTED)
        x += width


def _shade(weight: float, most: float) -> dict[str, Any]:
    """Ground and ink of a word, by its weight."""
    from matplotlib import colormaps

    share = weight / most if most > 0 else 0.0
    red, green, blue, _ = colormaps[_WORDS](0.05 + 0.75 * share)
    ink = "white" if share > 0.7 else INK
    return {"color": ink, "bbox": {"facecolor": (red, green, blue), "edgecolor": "none", "pad": 1.8}}
