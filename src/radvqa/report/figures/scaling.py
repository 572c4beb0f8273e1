"""A scaling law: points, fit and band on log axes, and below them what the fit left over."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.style import GRID, INK, MUTED, RUNS, WRONG, blank, look
from radvqa.scaling.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_SHAPES = ("o", "s", "^", "D", "v", "P")
_TICKS = 7  # at most
_WIDE = 8.0  # largest over smallest of an axis that is marked by 1, 2 and 5
_MOST = 3.0  # times that the axis of the loss reaches beyond the points


def scaling_law(result: Mapping[str, Any]) -> "Figure":
    """Draw a fitted law.

    Args:
        result: what ``radvqa.scaling.summary.summarise`` says, with ``means`` in each variable.
    """
    along = result["variables"][-1]
    with look():
        figure = blank(5.6)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.6, 1.0))
        for place, curve in enumerate(result["curves"]):
            _curve(upper, curve, along, RUNS[place % len(RUNS)])
        _points(upper, lower, result, along["name"])
        _answers(upper, result, along["name"])
        _floor(upper, result)
        upper.set_xscale("log")
        upper.set_yscale("log")
        places = result["curves"][0]["at"]
        upper.set_xlim(places[0], places[-1])
        upper.set_ylim(*_limits(result))
        _mark(upper.xaxis, places[0], places[-1])
        _mark(upper.yaxis, *upper.get_ylim())
        upper.set_title(_title(result)).set_parse_math(True)
        upper.set_ylabel(result["source"]["loss"].replace("_", " ").replace("val ", "validation "))
        upper.legend(loc="upper right")
        _residuals(lower, result)
        lower.set_xlabel(
            f"{along['symbol']}: {along['means']}" if along["means"] != along["symbol"] else along["means"]
        )
    return figure


def _curve(axes: "Axes", curve: Mapping[str, Any], along: Mapping[str, Any], colour: str) -> None:
    """Draw the law whole where it was observed and dashed beyond."""
    at, loss = curve["at"], curve["loss"]
    axes.fill_between(at, curve["low"], curve["high"], color=colour, alpha=0.16, linewidth=0)
    label = f"X = {_short(next(iter(curve['held'].values())))}" if curve["held"] else "fit, with its 95 % band"
    axes.plot(at, loss, "--", color=colour, linewidth=1.2, dashes=(4, 2))
    inside = [(x, y) for x, y in zip(at, loss, strict=True) if along["smallest"] <= x <= along["largest"]]
    axes.plot([x for x, _ in inside], [y for _, y in inside], "-", color=colour, label=label)


def _points(upper: "Axes", lower: "Axes", result: Mapping[str, Any], along: str) -> None:
    held = [curve["held"] for curve in result["curves"]]
    for point in result["points"]:
        place = next((i for i, one in enumerate(held) if all(point[name] == v for name, v in one.items())), None)
        colour = MUTED if place is None else RUNS[place % len(RUNS)]
        shape = _SHAPES[(place or 0) % len(_SHAPES)]
        light = point["weight"] < 0.5
        lower.vlines(point[along], 0, point["residual"], color=colour, linewidth=1.2)
        for axes, value in ((upper, point["loss"]), (lower, point["residual"])):
            axes.plot(
                [point[along]],
                [value],
                shape,
                color=colour,
                markersize=6,
                markerfacecolor="white" if light else colour,
                markeredgecolor=colour if light else "white",
                markeredgewidth=0.8,
                zorder=4,
            )


def _answers(axes: "Axes", result: Mapping[str, Any], along: str) -> None:
    """Draw what targets need, and predicted losses, with their intervals."""
    end = result["curves"][0]["at"][-1]
    for which, answer in enumerate(result["targets"]):
        if answer["variable"] != along:
            continue
        low, high = answer["interval"]
        axes.hlines(answer["target"], low or 0.0, high or 10 * end, color=WRONG, linewidth=1.4)
        label = "target, and what it needs" if which == 0 else None
        axes.plot([answer["needed"]], [answer["target"]], "D", color=WRONG, markersize=6, label=label, zorder=5)
    for which, told in enumerate(result["predictions"]):
        place = told["at"][along]
        axes.vlines(place, *told["interval"], color=INK, linewidth=1.4)
        label = "predicted" if which == 0 else None
        axes.plot([place], [told["loss"]], "P", color=INK, markersize=7, label=label, zorder=5)


def _floor(axes: "Axes", result: Mapping[str, Any]) -> None:
    floor = result["constants"][-1]
    if floor["value"] > 0:
        axes.axhline(floor["value"], color=MUTED, linewidth=1.1, linestyle=":", label=f"floor {floor['value']:.4g}")


def _limits(result: Mapping[str, Any]) -> tuple[float, float]:
    """Show all points, the fit, its band and the floor, unless they lie far from the points."""
    measured = [point["loss"] for point in result["points"]]
    shown = [*measured, *(answer["target"] for answer in result["targets"])]
    for curve in result["curves"]:
        smallest = result["variables"][-1]["smallest"]  # before it the band soon leaves the page
        rows = zip(curve["at"], curve["low"], curve["high"], strict=True)
        shown += [*curve["loss"], *(end for at, *band in rows if at >= smallest for end in band)]
    shown.append(result["constants"][-1]["value"])
    low, high = min(measured), max(measured)
    inside = [value for value in shown if low / _MOST <= value <= high * _MOST]
    room = (max(inside) / min(inside)) ** 0.05
    return min(inside) / room, max(inside) * room


def _residuals(axes: "Axes", result: Mapping[str, Any]) -> None:
    from matplotlib.ticker import MaxNLocator

    scatter = result["scatter"]
    axes.axhspan(-2 * scatter, 2 * scatter, color=GRID, alpha=0.6, linewidth=0, zorder=0)
    axes.axhline(0.0, color=MUTED, linewidth=1)
    most = max(2.2 * scatter, *(1.15 * abs(point["residual"]) for point in result["points"]))
    axes.set_ylim(-most, most)
    axes.yaxis.set_major_locator(MaxNLocator(5, symmetric=True))
    axes.set_title("Measured minus fitted (grey: ± 2 sd)", fontsize=10)
    axes.set_ylabel("residual")


def _mark(axis: "Axis", low: float, high: float) -> None:
    """Mark a log axis with few round numbers, also where it is too short for powers of ten."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    ticks: Sequence[float] = [step * 10.0**power for power in range(-12, 40) for step in (1, 2, 5)]
    ticks = [tick for tick in ticks if low <= tick <= high]
    if high / low < _WIDE:
        ticks = [tick for tick in MaxNLocator(_TICKS - 1).tick_values(low, high) if low <= tick <= high]
    elif len(ticks) > _TICKS + 2:
        powers = [tick for tick in ticks if f"{tick:e}".startswith("1.0")]
        ticks = powers[:: -(-len(powers) // _TICKS)]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _short(value: float) -> str:
    for unit, name in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e4, " k")):
        if value >= unit * 0.9999:
            return f"{value / (1e3 if unit == 1e4 else unit):g}{name}"
    return f"{value:,.6g}"


def _title(result: Mapping[str, Any]) -> str:
    """Write the law with its numbers, powers raised."""
    head, _, body = str(result["law"]).partition(" = ")
    for constant in result["constants"]:
        body = body.replace(constant["name"], number(constant["value"], 3), 1)
    raised = re.sub(r"(\w)\^(−[\d.,]+)", r"$\\mathbf{\1^{\2}}$", body)
    return f"{head} = {raised}"
