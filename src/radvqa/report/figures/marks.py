"""How runs are told apart in every figure, and how an interval is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.style import INK, RUNS, plain
from radvqa.report.scored import SUBSETS, Scored, groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINE = 0.2  # inches of height of one line of the legend
_SHAPES = ("o", "s", "^", "D", "v", "P", "X")  # one more than colours, so that no pair repeats for long
_LETTERS = 46  # of a name in the legend


@dataclass(frozen=True)
class Mark:
    """How one run is drawn.

    Attributes:
        colour: shared by runs that differ in the seed alone.
        shape: matplotlib's name of a marker; shared likewise, so that nobody depends on colours.
        label: name of the run, or of its recipe where several seeds share it.
    """

    colour: str
    shape: str
    label: str


def marks(runs: Sequence[Scored]) -> list[Mark]:
    """Give each recipe a colour and a shape, in the order of the runs."""
    members = groups(runs)
    places = [next(i for i, group in enumerate(members) if run in group.runs) for run in runs]
    return [Mark(RUNS[i % len(RUNS)], _SHAPES[i % len(_SHAPES)], _label(members[i])) for i in places]


def _label(group: Any) -> str:
    return plain(group.label, _LETTERS) + (f" ({group.size})" if len(group.runs) > 1 else "")


def legend_height(runs: Sequence[Scored]) -> float:
    """Return the inches that ``legend`` takes."""
    found = len(groups(runs))
    return LINE * found + 0.1 if found > 1 else 0.0


def legend(figure: "Figure", runs: Sequence[Scored], *, lines: bool = False, bars: bool = False) -> None:
    """Name the recipes below a figure; one alone needs no legend.

    Args:
        figure: the figure.
        runs: those drawn.
        lines: whether the points are joined by lines in the figure.
        bars: whether runs are bars and told apart by colour alone.
    """
    from matplotlib.lines import Line2D

    shown = {mark.label: mark for mark in marks(runs)}
    if len(shown) < 2:
        return
    handles = [
        Line2D(
            [],
            [],
            color=mark.colour,
            marker="s" if bars else mark.shape,
            markersize=8 if bars else 6,
            linestyle="-" if lines else "",
            label=label,
        )
        for label, mark in shown.items()
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=1, borderpad=0.1, labelspacing=0.35)


def dodge(number: int, room: float) -> list[float]:
    """Return places around 0 for several marks of one row or column.

    Args:
        number: of marks.
        room: between the outermost edges.
    """
    return [room * ((i + 0.5) / number - 0.5) for i in range(number)]


def whisker(
    axes: "Axes",
    place: float,
    interval: Sequence[float] | None,
    *,
    upright: bool = False,
    colour: str = INK,
    factor: float = 100.0,
) -> float | None:
    """Draw an interval of fractions in percent.

    Args:
        axes: where.
        place: the row, or the column when upright.
        interval: low and high; None draws nothing.
        upright: whether values run along the vertical axis.
        colour: of the line.
        factor: from the given unit to that of the axis.

    Returns:
        The upper end on the axis; None without an interval.
    """
    if interval is None:
        return None
    low, high = (factor * limit for limit in interval)
    along, across = [low, high], [place, place]
    axes.plot(
        *((across, along) if upright else (along, across)),
        color=colour,
        linewidth=1.2,
        marker="_" if upright else "|",
        markersize=5,
        solid_capstyle="butt",
    )
    return high


def to_show(runs: Sequence[Scored], metrics: Sequence[tuple[str, str]]) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the subsets that some run has, and those of some metrics (key, title) that some run has on one."""
    subsets = [s for s in SUBSETS if any(s in run.scores["subsets"] for run in runs)]
    known = [m for m in metrics if any(run.value(s, m[0]) is not None for run in runs for s in subsets)]
    return subsets, known
