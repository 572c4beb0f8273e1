"""Right answers on the left and wrong ones on the right: picture, question, gold, answer, confidence."""

import io
from typing import TYPE_CHECKING

from radvqa.report.figures.style import DPI, INK, MUTED, RIGHT, WRONG, blank, look, plain
from radvqa.report.figures.wrapping import wrap
from radvqa.report.results_page.draw import SIDE, Draw, Drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PICTURE = SIDE / DPI  # inches, a pixel of the picture to a pixel of the figure
_TEXT = 2.55  # inches beside a picture
_LETTERS = 36  # of a line there
_BOLD = 33
_LINE = 0.165  # inches
_GAP = 0.12
_TOP = 0.3  # inches for the headings

Line = tuple[str, str, bool]


def right_wrong(drawn: Draw) -> "Figure":
    """Draw the panel; a column is as wide as a phone."""
    sides = [(drawn.right, "Right", RIGHT, "✓"), (drawn.wrong, "Wrong", WRONG, "✗")]
    shown = [side for side in sides if side[0]]
    texts = [[_lines(one, colour, mark) for one in found] for found, _, colour, mark in shown]
    rows = max((len(found) for found, *_ in shown), default=0)
    heights = [
        max(_PICTURE, *(_LINE * len(column[row]) for column in texts if row < len(column))) + _GAP
        for row in range(rows)
    ]
    width, height = (_PICTURE + _GAP + _TEXT) * max(1, len(shown)), sum(heights) + _TOP
    with look():
        figure = blank(height, width)
        figure.set_layout_engine("none")
        for column, (found, heading, colour, mark) in enumerate(shown):
            left = column * (_PICTURE + _GAP + _TEXT)
            figure.text(left / width, 1 - 0.05 / height, f"{mark} {heading}", color=colour, weight="bold", va="top")
            top = height - _TOP
            for row, one in enumerate(found):
                axes = figure.add_axes((left / width, (top - _PICTURE) / height, _PICTURE / width, _PICTURE / height))
                _picture(axes, one.picture)
                for line, (text, shade, bold) in enumerate(texts[column][row]):
                    figure.text(
                        (left + _PICTURE + _GAP) / width,
                        (top - _LINE * line) / height,
                        text,
                        color=shade,
                        weight="bold" if bold else "normal",
                        fontsize=8.5,
                        va="top",
                    )
                top -= heights[row]
    return figure


def _picture(axes: "Axes", content: bytes) -> None:
    from matplotlib.image import imread

    axes.set_axis_off()
    axes.set_anchor("NW")
    axes.imshow(imread(io.BytesIO(content), format="png"), cmap="gray", vmin=0, vmax=1, aspect="equal")


def _lines(one: Drawn, colour: str, mark: str) -> list[Line]:
    asked = one.asked
    lines = [(line, INK, True) for line in wrap(plain(asked.question, 160), _BOLD, "   ")]
    lines += [(line, INK, False) for line in wrap(plain(f"Gold: {asked.answer}", 160), _LETTERS, "   ")]
    said = asked.prediction or "(nothing)"
    lines += [(line, colour, False) for line in wrap(plain(f"{mark} {said}", 160), _LETTERS, "   ")]
    known = "no confidence" if asked.confidence is None else f"confidence {asked.confidence:.2f}"
    return [*lines, (known, MUTED, False)]
