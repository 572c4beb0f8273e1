"""What accuracy costs: trained parameters, training time, and seconds per question."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from radvqa.report.figures.labels import Label, place_labels
from radvqa.report.figures.marks import Mark, marks, whisker
from radvqa.report.figures.style import blank, look, plain, zoomed
from radvqa.report.scored import Scored

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEWEST = 2  # points; one shows no trade
_LETTERS = 38
_TICKS = 6  # at most


def trained_parameters(run: Scored) -> float | None:
    """Return how many parameters were trained."""
    return _positive(run.facts.get("parameters", {}).get("trainable"))


def training_seconds(run: Scored) -> float | None:
    """Return how long training took, preparation left out where it was measured apart."""
    return _positive(run.facts.get("training_seconds", run.facts.get("seconds")))


def seconds_per_question(run: Scored) -> float | None:
    """Return how long one answer took."""
    return _positive(run.answering.get("seconds_per_question"))


def _positive(value: float | None) -> float | None:
    return float(value) if value else None  # nothing has no place on a log axis


def _round_numbers(first: int, last: int) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten between two exponents."""
    return [step * 10.0**power for power in range(first, last) for step in (1, 2, 5)]


_NUMBERS = tuple(_round_numbers(0, 13))
_TIMES = (
    *_round_numbers(-6, 0),
    *(step * unit for unit in (1.0, 60.0) for step in (1, 2, 5, 10, 20, 30)),
    *(3600 * step for step in (1, 2, 5, 10, 24, 48, 120, 240, 480, 1200, 2400)),
)


def _parameters(value: float) -> str:
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"


def _seconds(value: float) -> str:
    for unit, name in ((3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms")):
        if value >= unit * 0.9999:
            return f"{value / unit:.4g} {name}"
    return f"{value * 1e6:.4g} µs"


_COSTS: tuple[tuple[str, Callable[[Scored], float | None], Sequence[float], Callable[[float], str]], ...] = (
    ("Trained parameters", trained_parameters, _NUMBERS, _parameters),
    ("Training time", training_seconds, _TIMES, _seconds),
    ("Time per question", seconds_per_question, _TIMES, _seconds),
)


def accuracy_against_cost(runs: Sequence[Scored]) -> "Figure | None":
    """Draw accuracy against each cost that at least two runs have measured, on log scales.

    Times are comparable only between runs of one machine.

    Returns:
        The figure, or None when no cost is known of two runs.
    """
    found = []
    for title, cost, steps, written in _COSTS:
        points = [
            (x, run, mark)
            for run, mark in zip(runs, marks(runs), strict=True)
            if (x := cost(run)) is not None and run.value("overall", "accuracy") is not None
        ]
        if len(points) >= _FEWEST:
            found.append((title, points, steps, written))
    if not found:
        return None
    with look():
        figure = blank(1.75 * len(found) + 0.35)
        panels = figure.subplots(len(found), 1, sharey=True, squeeze=False)[:, 0]
        for axes, (title, points, steps, written) in zip(panels, found, strict=True):
            _draw(axes, points, steps, written)
            axes.set_xlabel(title)
            axes.set_ylabel("Accuracy, %")
        limits = [
            100 * limit
            for _, points, _, _ in found
            for _, run, _ in points
            for limit in (run.value("overall", "accuracy"), *(_interval(run) or ()))
            if limit is not None
        ]
        panels[0].set_ylim(*zoomed(limits, 5))
        for axes, (_, points, _, _) in zip(panels, found, strict=True):
            place_labels(axes, _labels(points), _strokes(points))
    return figure


def _interval(run: Scored) -> Sequence[float] | None:
    interval: Sequence[float] | None = run.scores["subsets"]["overall"].get("accuracy_interval")
    return interval


def _draw(
    axes: "Axes",
    points: Sequence[tuple[float, Scored, Mark]],
    steps: Sequence[float],
    written: Callable[[float], str],
) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    for x, run, mark in points:
        axes.plot([x], [100 * (run.value("overall", "accuracy") or 0.0)], mark.shape, color=mark.colour, markersize=7)
        whisker(axes, x, _interval(run), upright=True, colour=mark.colour)
    low, high = min(x for x, _, _ in points), max(x for x, _, _ in points)
    axes.set_xscale("log")
    axes.set_xlim(low / 2.2, high * 2.2)  # so that ticks and labels have room where all cost the same
    ticks = [tick for tick in steps if low / 2 <= tick <= high * 2]
    ticks = ticks[:: -(-len(ticks) // _TICKS)]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([written(tick) for tick in ticks])


def _labels(points: Sequence[tuple[float, Scored, Mark]]) -> list[Label]:
    """Name each recipe once, at the first of its seeds."""
    named: dict[str, Label] = {}
    for x, run, mark in points:
        y = 100 * (run.value("overall", "accuracy") or 0.0)
        named.setdefault(mark.label, Label(x, y, plain(mark.label, _LETTERS), mark.colour))
    return list(named.values())


def _strokes(points: Sequence[tuple[float, Scored, Mark]]) -> list[tuple[float, float]]:
    """Return places along the intervals and at unlabelled points, for labels to keep off."""
    along = [i / 8 for i in range(9)]
    whiskers = [(x, _interval(run) or ()) for x, run, _ in points]
    strokes = [(x, 100 * (ends[0] + t * (ends[1] - ends[0]))) for x, ends in whiskers if ends for t in along]
    return [*strokes, *((x, 100 * (run.value("overall", "accuracy") or 0.0)) for x, run, _ in points)]
