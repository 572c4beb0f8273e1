"""Labels beside points that overlap neither each other nor the points."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radvqa.report.figures.style import MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))  # tried in this order
_DISTANCES = (8, 14, 22, 32, 44, 58)  # points
_POINT = 5  # points from a mark's middle to its rim


@dataclass(frozen=True)
class Label:
    """A text for a point.

    Attributes:
        x: of the point, in data units.
        y: of the point, in data units.
        text: the label.
        colour: of the text.
    """

    x: float
    y: float
    text: str
    colour: str


def place_labels(axes: "Axes", labels: Sequence[Label], size: float = 9) -> None:
    """Put each label on the nearest free side of its point, inside the panel; far ones get a line to their point.

    The figure's limits and size must not change afterwards. Where no side is free, the side with least overlap is
    taken.

    Args:
        axes: a panel of the finished figure.
        labels: the labels; points of equal place should share one.
        size: of the letters, in points.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101 - axes of a figure have one
    figure.draw_without_rendering()  # the layout decides where points lie
    point = figure.dpi / 72
    taken = [_around(axes, label, _POINT * point) for label in labels]
    for label in labels:
        note = axes.annotate(
            label.text,
            (label.x, label.y),
            xytext=(0, 0),
            textcoords="offset points",
            color=label.colour,
            fontsize=size,
            arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 5},
        )
        note.set_in_layout(False)
        places = [(side, distance) for distance in _DISTANCES for side in _SIDES]
        costs = []
        for side, distance in places:
            box = _put(note, side, distance)
            cost = sum(_overlap(box, other) for other in taken) + 4 * _outside(box, axes.bbox)
            costs.append(cost)
            if cost == 0:
                break
        side, distance = places[min(range(len(costs)), key=costs.__getitem__)]
        taken.append(_put(note, side, distance))


def _put(note: "Annotation", side: tuple[int, int], distance: float) -> "Bbox":
    """Move a label and return the room that its text takes, in pixels."""
    from matplotlib.text import Text

    x, y = side
    length = (x * x + y * y) ** 0.5
    note.set_position((x * distance / length, y * distance / length))
    note.set_ha({1: "left", 0: "center", -1: "right"}[x])
    note.set_va({1: "bottom", 0: "center", -1: "top"}[y])
    return Text.get_window_extent(note)


def _around(axes: "Axes", label: Label, rim: float) -> "Bbox":
    from matplotlib.transforms import Bbox

    x, y = axes.transData.transform((label.x, label.y))
    return Bbox([[x - rim, y - rim], [x + rim, y + rim]])


def _overlap(one: "Bbox", other: "Bbox") -> float:
    """Return the area shared by two boxes; one pixel of air counts as theirs."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0) + 1
    height = min(one.y1, other.y1) - max(one.y0, other.y0) + 1
    return max(0.0, width) * max(0.0, height)


def _outside(box: "Bbox", area: "Bbox") -> float:
    """Return how much of a box lies outside of an area."""
    width = min(box.x1, area.x1) - max(box.x0, area.x0)
    height = min(box.y1, area.y1) - max(box.y0, area.y0)
    return float(box.width * box.height - max(0.0, width) * max(0.0, height))
