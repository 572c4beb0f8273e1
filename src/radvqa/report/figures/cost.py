"""What accuracy costs: parameters, training time, operations, memory, and seconds per question, a panel for each."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from radvqa.report import costs
from radvqa.report.figures.marks import Mark, legend, legend_height, marks, whisker
from radvqa.report.figures.style import blank, look, zoomed
from radvqa.report.scored import Scored

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEWEST = 2  # points; one shows no trade
_APART = 0.27  # of a panel's width; nearer labels touch
_MARGIN = 2.2  # from the outermost point to the edge, as a factor
_HEIGHT = 1.75  # inches of a row of panels


def _round_numbers(first: int, last: int) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten between two exponents."""
    return [step * 10.0**power for power in range(first, last) for step in (1, 2, 5)]


_NUMBERS = tuple(_round_numbers(0, 25))
_TIMES = (
    *_round_numbers(-6, 0),
    *(step * unit for unit in (1.0, 60.0) for step in (1, 2, 5, 10, 20, 30)),
    *(3600 * step for step in (1, 2, 5, 10, 24, 48, 120, 240, 480, 1200, 2400)),
)
_BYTES = tuple(2.0**power for power in range(10, 50))


def _number(value: float) -> str:
    for unit, name in ((1e18, " E"), (1e15, " P"), (1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= unit * 0.9999:
            return f"{value / unit:.4g}{name}"
    return f"{value:g}"


def _seconds(value: float) -> str:
    for unit, name in ((3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms")):
        if value >= unit * 0.9999:
            return f"{value / unit:.4g} {name}"
    return f"{value * 1e6:.4g} µs"


def _bytes(value: float) -> str:
    for power, name in ((40, "TiB"), (30, "GiB"), (20, "MiB")):
        if value >= 2.0**power:
            return f"{value / 2.0**power:g} {name}"
    return f"{value / 2**10:g} KiB"


@dataclass(frozen=True)
class _Panel:
    """One cost.

    Attributes:
        title: name of its axis.
        cost: of a run; None where it is not known.
        steps: round values for ticks.
        written: how a tick is labelled.
    """

    title: str
    cost: costs.Cost
    steps: Sequence[float]
    written: Callable[[float], str]


def _panels(runs: Sequence[Scored]) -> list[_Panel]:
    return [
        _Panel("Trained parameters", costs.trained_parameters, _NUMBERS, _number),
        _Panel("All parameters", costs.all_parameters, _NUMBERS, _number),
        _Panel("Training time", costs.training_seconds, _TIMES, _seconds),
        _Panel("Training operations (FLOP)", costs.training_flops, _NUMBERS, _number),
        _memory(runs),
        _Panel("Time per question", costs.seconds_per_question, _TIMES, _seconds),
    ]


def _memory(runs: Sequence[Scored]) -> _Panel:
    """Memory of one kind for all: that of the GPU only where every run knows it."""
    if all(costs.gpu_memory(run) is not None for run in runs):
        return _Panel("Peak GPU memory", costs.gpu_memory, _BYTES, _bytes)
    return _Panel("Peak memory", costs.main_memory, _BYTES, _bytes)


_Point = tuple[float, float, Scored, Mark]  # cost, accuracy in percent


def accuracy_against_cost(runs: Sequence[Scored]) -> "Figure | None":
    """Draw accuracy against each cost that at least two runs have measured, on log scales; seeds share a mark.

    Times are comparable only between runs of one machine.

    Returns:
        The figure, or None when no cost is known of two runs.
    """
    found = [(panel, points) for panel in _panels(runs) if len(points := _points(panel, runs)) >= _FEWEST]
    if not found:
        return None
    columns = 1 if len(found) == 1 else 2
    rows = -(-len(found) // columns)
    with look():
        figure = blank(_HEIGHT * rows + 0.1 + legend_height(runs))
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        cells = list(grid.flat)
        for unused in cells[len(found) :]:
            unused.remove()
        for axes, (panel, points) in zip(cells, found, strict=False):
            _draw(axes, panel, points)
        for axes in grid[:, 0]:
            axes.set_ylabel("Accuracy, %")
        limits = [limit for _, points in found for _, y, run, _ in points for limit in (y, *_interval(run))]
        cells[0].set_ylim(*zoomed(limits, 5))
        legend(figure, runs)
    return figure


def _points(panel: _Panel, runs: Sequence[Scored]) -> list[_Point]:
    return [
        (x, 100 * accuracy, run, mark)
        for run, mark in zip(runs, marks(runs), strict=True)
        if (x := panel.cost(run)) is not None and (accuracy := run.value("overall", "accuracy")) is not None
    ]


def _interval(run: Scored) -> list[float]:
    """Return both ends of the accuracy's interval in percent; nothing where there is none."""
    ends: Sequence[float] = run.scores["subsets"]["overall"].get("accuracy_interval") or ()
    return [100 * end for end in ends]


def _draw(axes: "Axes", panel: _Panel, points: Sequence[_Point]) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    for x, y, run, mark in points:
        axes.plot([x], [y], mark.shape, color=mark.colour, markersize=7)
        whisker(axes, x, _interval(run) or None, upright=True, colour=mark.colour, factor=1.0)
    low, high = min(x for x, *_ in points), max(x for x, *_ in points)
    axes.set_xscale("log")
    axes.set_xlim(low / _MARGIN, high * _MARGIN)  # so that ticks have room where all cost the same
    ticks = _ticks(panel.steps, low, high)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([panel.written(tick) for tick in ticks])
    axes.set_xlabel(panel.title)


def _ticks(steps: Sequence[float], low: float, high: float) -> list[float]:
    """Choose round values that lie far enough apart for their labels, and not at the edge where that leaves two."""
    inside = [tick for tick in steps if low / 1.5 <= tick <= high * 1.5]
    if len(inside) < _FEWEST:
        inside = [tick for tick in steps if low / 2 <= tick <= high * 2]
    gap = _APART * math.log(high / low * _MARGIN**2)
    chosen = inside
    for stride in range(1, len(inside)):
        chosen = inside[::stride]
        if all(math.log(after / before) >= gap for before, after in pairwise(chosen)):
            break
    return chosen
