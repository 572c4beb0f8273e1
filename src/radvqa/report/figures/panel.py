"""The panel of examples: picture, question, truth, and who was right."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from radvqa.report.examples import Example, examples
from radvqa.report.figures.style import GRID, INK, MUTED, RIGHT, WRONG, blank, look, plain
from radvqa.report.figures.wrapping import wrap
from radvqa.report.scored import Scored

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROOM = 2.7  # inches of width for one example
_LETTERS = 35  # that fit into one line of it
_BOLD = 31  # of the question, which is set bold
_LINE = 0.19  # inches


def answer_panel(runs: Sequence[Scored], most: int = 6, columns: int = 3) -> "Figure | None":
    """Draw examples in a grid; a tick or a cross says whether an answer counts as right in the accuracy.

    Returns:
        The figure, or None when the runs have no example pictures.
    """
    found = examples(runs, most)
    return panel_of(found, columns) if found else None


def panel_of(found: Sequence[Example], columns: int = 3) -> "Figure":
    """Draw some examples in a grid; of one whose truth is not known no answer has a tick or a cross.

    Args:
        found: at least one.
        columns: of the grid.
    """
    columns = min(columns, len(found))
    texts = [_lines(example) for example in found]
    rows = [texts[i : i + columns] for i in range(0, len(texts), columns)]
    # Above and below of each row: the picture, and as much room as its longest text needs.
    heights = [h for row in rows for h in (_ROOM * 0.9, _LINE * max(len(lines) for lines in row) + 0.1)]
    with look():
        figure = blank(sum(heights) + 0.1, _ROOM * columns)
        cells = figure.subplots(2 * len(rows), columns, squeeze=False, height_ratios=heights)
        for axes in cells.flat:
            axes.set_axis_off()
            axes.set_anchor("W")
        for number, (example, lines) in enumerate(zip(found, texts, strict=True)):
            row, column = divmod(number, columns)
            _picture(cells[2 * row, column], example.picture)
            below = cells[2 * row + 1, column]
            total = heights[2 * row + 1]
            for line, (text, colour, bold) in enumerate(lines):
                below.text(
                    0.0,
                    1 - _LINE * line / total,
                    text,
                    color=colour,
                    weight="bold" if bold else "normal",
                    fontsize=9,
                    va="top",
                    ha="left",
                    transform=below.transAxes,
                    in_layout=False,  # columns are of equal width, whatever is written in them
                )
    return figure


def _picture(axes: "object", content: bytes) -> None:
    from matplotlib.axes import Axes
    from matplotlib.image import imread

    assert isinstance(axes, Axes)  # noqa: S101 - a grid of subplots is typed as objects
    axes.set_facecolor(GRID)
    axes.imshow(imread(io.BytesIO(content), format="png"), cmap="gray", vmin=0, vmax=1, aspect="equal")


def _lines(example: Example) -> list[tuple[str, str, bool]]:
    """Wrap the text of one example into lines with colour and weight."""
    lines = [(line, INK, True) for line in _wrapped(example.asked.question, _BOLD)]
    if any(answer.right is not None for answer in example.answers) or not example.answers:
        lines += [(line, INK, False) for line in _wrapped(f"Truth: {example.asked.answer}")]
    for answer in example.answers:
        mark, colour = ("", INK) if answer.right is None else ("✓ ", RIGHT) if answer.right else ("✗ ", WRONG)
        colour = MUTED if answer.trivial else colour
        lines += [(line, colour, False) for line in _wrapped(f"{mark}{answer.who}: {answer.answer or '(nothing)'}")]
    return lines


def _wrapped(text: str, width: int = _LETTERS) -> list[str]:
    return wrap(plain(text, 160), width, "   ")
