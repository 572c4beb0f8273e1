"""What a figure really shows: its numbers, its texts, and whether texts lie on each other."""

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

SLACK = 1.5  # pixels at 100 dots per inch by which boxes may touch


def line(axes: "Axes", label: str) -> tuple[list[float], list[float]]:
    """Return the points of the line with a label."""
    (found,) = [one for one in axes.lines if one.get_label() == label]
    return [float(x) for x in np.asarray(found.get_xdata())], [float(y) for y in np.asarray(found.get_ydata())]


def segments(axes: "Axes") -> set[tuple[tuple[float, ...], tuple[float, ...]]]:
    """Return every unnamed line of two points, rounded, as (xs, ys): whiskers and strips."""
    found = set()
    for one in axes.lines:
        xs, ys = np.asarray(one.get_xdata()), np.asarray(one.get_ydata())
        if len(xs) == 2:
            found.add((tuple(float(x) for x in np.round(xs, 4)), tuple(float(y) for y in np.round(ys, 4))))
    return found


def bars(axes: "Axes", *, upright: bool) -> list[float]:
    """Return the lengths of the bars in the order in which they were drawn."""
    patches: Any = axes.patches
    return [float(patch.get_height() if upright else patch.get_width()) for patch in patches]


def said(figure: "Figure") -> str:
    """Return every text of a figure, one a line."""
    return "\n".join(text.get_text() for text in _texts(figure))


def overlaps(figure: "Figure") -> list[tuple[str, str]]:
    """Return the pairs of texts that lie on each other when the figure is drawn."""
    boxes = _boxes(figure)
    return [
        (one, other)
        for (one, a), (other, b) in combinations(boxes, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > SLACK and min(a.y1, b.y1) - max(a.y0, b.y0) > SLACK
    ]


def cut_off(figure: "Figure") -> list[str]:
    """Return the texts that reach over the figure's edge."""
    page = figure.bbox
    return [
        text
        for text, box in _boxes(figure)
        if box.x0 < page.x0 - SLACK or box.x1 > page.x1 + SLACK or box.y0 < page.y0 - SLACK or box.y1 > page.y1 + SLACK
    ]


def _boxes(figure: "Figure") -> list[tuple[str, Any]]:
    from matplotlib.text import Text

    figure.draw_without_rendering()
    # the plain method: an annotation's own would count its line too
    return [(text.get_text(), Text.get_window_extent(text)) for text in _texts(figure)]


def _texts(figure: "Figure") -> Iterator["Text"]:
    from matplotlib.text import Text

    hidden = {id(label) for axes in figure.axes for label in _labels_out_of_view(axes)}
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text.get_visible() and text.get_text().strip() and id(text) not in hidden:
            yield text


def _labels_out_of_view(axes: "Axes") -> Iterator["Text"]:
    """Yield labels of ticks that are not drawn: beyond the limits, or of an axis that leaves them to its neighbour."""
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        room = (high - low) * 1e-6
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            out = not low - room <= tick.get_loc() <= high + room
            for label, shown in ((tick.label1, not out), (tick.label2, not out)):
                if not shown or not label.get_visible():
                    yield label
