"""What the step log tells: learning rates of the model's parts, and shares of the sources, over the steps."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.curriculum import Stage, called, rates, shares
from radvqa.report.figures.style import RUNS, plain
from radvqa.report.numbers import without_folders

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = list[tuple[float, float]]
Place = Callable[[float], float]

_MANY = 2  # names of parts that share a line, beside which the others are counted
_WIDE = 20.0  # times that rates differ by in a panel with a log axis
_DASHES: tuple[Any, ...] = ("-", (0, (4, 2.5)), (0, (1.5, 1.5)))  # so that lines on each other are both seen
_TICKS = 4  # of a log axis at most
_SOURCE = 44  # letters of a source's name
_LINES, _AREAS = (3, 4, 5, 2), (2, 5, 4, 3, 0, 1)  # of the colours; blue and orange mean something else above


def rate_lines(stages: Sequence[Stage]) -> dict[str, list[Points]]:
    """Return the learning rates over the steps, a list of points for each stage; parts that always agree share them."""
    by_part: dict[str, list[Points]] = {}
    for place, stage in enumerate(stages):
        for row in stage.log:
            for part, rate in rates(row).items():
                by_part.setdefault(part, [[] for _ in stages])[place].append((row["step"], rate))
    sharing: dict[str, list[str]] = {}
    for part, lines in by_part.items():
        sharing.setdefault(repr(lines), []).append(part)
    return {_named(parts): by_part[parts[0]] for parts in sharing.values()}


def _named(parts: Sequence[str]) -> str:
    shown = ", ".join(parts[:_MANY])
    return shown if len(parts) <= _MANY else f"{shown} and {len(parts) - _MANY} more"


def rates_tell(stages: Sequence[Stage]) -> bool:
    """Tell whether a panel of learning rates has more to show than one number."""
    found = {rate for lines in rate_lines(stages).values() for points in lines for _, rate in points}
    return len(found) > 1


def draw_rates(axes: "Axes", stages: Sequence[Stage], place: Place = float) -> None:
    """Draw the learning rates; on a log axis where they differ much between parts or stages.

    Args:
        axes: where.
        stages: of the run.
        place: of a step on the horizontal axis.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    lines = rate_lines(stages)
    for number, ((label, by_stage), colour) in enumerate(zip(lines.items(), _colours(_LINES, len(lines)), strict=True)):
        first = True
        for points in by_stage:
            if points:
                marker = "." if len(points) == 1 else ""
                axes.plot(
                    [place(step) for step, _ in points],
                    [rate for _, rate in points],
                    linestyle=_DASHES[number % len(_DASHES)],
                    marker=marker,
                    color=colour,
                    linewidth=1.4,
                    label=label if first else "_",
                )
                first = False
    peaks = [max(rate for _, rate in points) for by_stage in lines.values() for points in by_stage if points]
    if min(peaks) > 0 and max(peaks) / min(peaks) > _WIDE:
        axes.set_yscale("log")
        axes.set_ylim(min(peaks) / 20, max(peaks) * 2)
        powers = range(math.ceil(math.log10(min(peaks) / 20)), math.floor(math.log10(max(peaks) * 2)) + 1)
        axes.set_yticks([10.0**power for power in powers[:: -(-len(powers) // _TICKS)]])
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0e}".replace("e-0", "e-")))
    else:
        axes.set_ylim(0, max(peaks) * 1.08)
        axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    axes.set_title("Learning rate")
    if len(lines) > 1:
        axes.legend(loc="best", fontsize=8.5, handlelength=1.4, borderaxespad=0.2, labelspacing=0.25)


def share_areas(stages: Sequence[Stage]) -> list[dict[str, Points]]:
    """Return the share of each source over the steps of each stage, from its first step to its last."""
    return [_areas(stage) for stage in stages]


def _areas(stage: Stage) -> dict[str, Points]:
    said = stage.facts.get("shares", {})
    begin: dict[str, float] = said.get("begin") or {called(source): 1.0 for source in stage.sources[:1]}
    logged = [(float(row["step"]), shares(row)) for row in stage.log if shares(row)]
    last = logged[-1][1] if logged else begin
    if not stage.facts.get("stopped_early"):
        last = said.get("end") or last
    points = [(float(stage.begins), begin), *logged, (float(stage.ends), last)]
    return {name: [(step, found.get(name, 0.0)) for step, found in points] for name in begin}


def shares_tell(stages: Sequence[Stage]) -> bool:
    """Tell whether there is more than one source in the run."""
    return len({name for areas in share_areas(stages) for name in areas}) > 1


def draw_shares(axes: "Axes", stages: Sequence[Stage], place: Place = float) -> None:
    """Draw the mix as areas that fill each step, and name the sources in a legend of the figure.

    Args:
        axes: where; the lowest panel of its figure.
        stages: of the run.
        place: of a step on the horizontal axis.
    """
    from matplotlib.patches import Patch

    found = share_areas(stages)
    names = list(dict.fromkeys(name for areas in found for name in areas))
    colours = dict(zip(names, _colours(_AREAS, len(names)), strict=True))
    for areas in found:
        xs = [place(step) for step, _ in next(iter(areas.values()))]
        axes.stackplot(
            xs,
            [[100 * share for _, share in points] for points in areas.values()],
            colors=[colours[name] for name in areas],
            alpha=0.6,
            linewidth=0.5,
            edgecolor="white",
        )
    for stage in stages[1:]:
        axes.axvline(place(stage.begins), color="white", linewidth=1.5)
    axes.set_ylim(0, 100)
    axes.set_yticks([0, 50, 100])
    axes.set_title("Drawn from, %")
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101 - axes of a figure have one
    figure.legend(
        handles=[Patch(color=colours[n], alpha=0.6, label=plain(str(without_folders(n)), _SOURCE)) for n in names],
        loc="outside lower left",
        ncols=1 if max(len(name) for name in names) > 20 else 3,
        borderpad=0.1,
        labelspacing=0.35,
        handlelength=1.0,
        handleheight=0.8,
    )


def share_rows(stages: Sequence[Stage]) -> int:
    """Return how many lines the legend of the mix takes."""
    names = list(dict.fromkeys(name for areas in share_areas(stages) for name in areas))
    return len(names) if max(len(name) for name in names) > 20 else -(-len(names) // 3)


def _colours(of: Sequence[int], many: int) -> list[str]:
    return [RUNS[of[i % len(of)]] for i in range(many)]
