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
_NEAR = 22  # points; farther labels get a line
_POINT = 5  # points from a mark's middle to its rim
_DOT = 1.5  # points around a place to avoid


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


def place_labels(
    axes: "Axes", labels: Sequence[Label], avoid: Sequence[tuple[float, float]] = (), size: float = 9
) -> None:
    """Put each label on the nearest free side of its point, inside the panel; far ones get a line to their point.

    The figure's limits and size must not change afterwards. Where no side is free, the side with least overlap is
    taken.

    Args:
        axes: a panel of the finished figure.
        labels: the labels; points of equal place should share one.
        avoid: places, in data units, that no label should lie on, beside the labelled points.
        size: of the letters, in points.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101 - axes of a figure have one
    figure.draw_without_rendering()  # the layout decides where points lie
    pixel = figure.dpi / 72
    taken = [_around(axes, (label.x, label.y), _POINT * pixel) for label in labels]
    taken += [_around(axes, place, _DOT * pixel) for place in avoid]
    for label in labels:
        side, distance = _best_place(axes, label, size, taken)
        note = _write(axes, label, side, distance, size)
        taken.append(note.get_window_extent())
        if distance > _NEAR:
            note.remove()
            _write(axes, label, side, distance, size, line=True)


def _best_place(axes: "Axes", label: Label, size: float, taken: Sequence["Bbox"]) -> tuple[tuple[int, int], float]:
    """Return the first side and distance where a label is free, else those with the least overlap."""
    costs: dict[tuple[tuple[int, int], float], float] = {}
    for distance in _DISTANCES:
        for side in _SIDES:
            note = _write(axes, label, side, distance, size)
            box = note.get_window_extent()
            note.remove()
            costs[side, distance] = sum(_overlap(box, other) for other in taken) + 4 * _outside(box, axes.bbox)
            if costs[side, distance] == 0:
                return side, distance
    return min(costs, key=costs.__getitem__)


def _write(
    axes: "Axes", label: Label, side: tuple[int, int], distance: float, size: float, *, line: bool = False
) -> "Annotation":
    x, y = side
    length = (x * x + y * y) ** 0.5
    arrow = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 5}
    note = axes.annotate(
        label.text,
        (label.x, label.y),
        xytext=(x * distance / length, y * distance / length),
        textcoords="offset points",
        ha={1: "left", 0: "center", -1: "right"}[x],
        va={1: "bottom", 0: "center", -1: "top"}[y],
        color=label.colour,
        fontsize=size,
        arrowprops=arrow if line else None,
    )
    note.set_in_layout(False)
    return note


def _around(axes: "Axes", place: tuple[float, float], rim: float) -> "Bbox":
    from matplotlib.transforms import Bbox

    x, y = axes.transData.transform(place)
    return Bbox([[x - rim, y - rim], [x + rim, y + rim]])


def _overlap(one: "Bbox", other: "Bbox") -> float:
    """Return the area shared by two boxes; one pixel of air counts as theirs."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0) + 1
    height = min(one.y1, other.y1) - max(one.y0, other.y0) + 1
    return float(max(0.0, width) * max(0.0, height))


def _outside(box: "Bbox", area: "Bbox") -> float:
    """Return how much of a box lies outside of an area."""
    width = min(box.x1, area.x1) - max(box.x0, area.x0)
    height = min(box.y1, area.y1) - max(box.y0, area.y0)
    return float(box.width * box.height - max(0.0, width) * max(0.0, height))
