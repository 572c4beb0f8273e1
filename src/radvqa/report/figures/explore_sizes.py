"""Width and height of pictures, as dots whose area grows with the number of pictures."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.style import MUTED, RUNS, blank, look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LARGEST = 420  # area of the largest dot in square points
_SMALLEST = 14


def picture_sizes(pictures: Mapping[str, Any]) -> "Figure | None":
    """Draw the distribution of widths and heights.

    Returns:
        The figure, or None when there are not two sizes to tell apart.
    """
    if pictures["sizes"] < 2:
        return None
    step = pictures["step"]
    most = max(number for *_, number in pictures["cells"])
    exact = {(width // step, height // step): (width, height) for width, height, _ in reversed(pictures["top"])}
    with look():
        figure = blank(3.6)
        axes = figure.subplots()
        widest, tallest = pictures["width"][-1], pictures["height"][-1]
        places = [
            exact.get((column, row), (min((column + 0.5) * step, widest), min((row + 0.5) * step, tallest)))
            for column, row, _ in pictures["cells"]
        ]
        areas = [max(_SMALLEST, _LARGEST * number / most) for *_, number in pictures["cells"]]
        axes.scatter([x for x, _ in places], [y for _, y in places], s=areas, color=RUNS[0], alpha=0.55, linewidths=0)
        longest = 1.1 * max(max(place) for place in places)
        axes.plot([0, longest], [0, longest], color=MUTED, linestyle=":", linewidth=1, zorder=0)
        axes.set_xlim(0, longest)
        axes.set_ylim(0, longest)
        axes.set_xlabel("Width, pixels")
        axes.set_ylabel("Height, pixels")
        axes.set_title("Picture sizes")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.locator_params(nbins=6)
    return figure
