"""Confidence: whether it means what it says, and what abstaining when unsure is worth."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.marks import Mark, legend, legend_height, marks
from radvqa.report.figures.style import MUTED, blank, in_percent, look
from radvqa.report.scored import Scored

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def reliability(runs: Sequence[Scored]) -> "Figure | None":
    """Draw accuracy against confidence by bins, and below which share of the answers each bin holds.

    Returns:
        The figure, or None when no run has confidences.

    Source: A. Niculescu-Mizil, R. Caruana, Predicting Good Probabilities With Supervised Learning, ICML 2005.
    """
    known = _known(runs)
    if not known:
        return None
    shown = [run for run, _, _ in known]
    with look():
        figure = blank(4.9 + legend_height(shown))
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, 100], [0, 100], color=MUTED, linestyle="--", linewidth=1)
        for run, mark, calibration in known:
            bins = [b for b in calibration["bins"] if b["n"]]
            upper.plot(
                [100 * b["confidence"] for b in bins],
                [100 * b["accuracy"] for b in bins],
                marker=mark.shape,
                color=mark.colour,
                label=run.name,
            )
            shares, edges = _shares(bins, calibration["n"])
            lower.stairs(shares, edges, color=mark.colour, linewidth=1.8)
        error = f", ECE {100 * known[0][2]['ece']:.1f} %" if len(known) == 1 else ""
        upper.set_title(f"Reliability{error} (dashed: perfect)")
        upper.set_ylabel("Accuracy, %")
        upper.set_ylim(-3, 103)
        upper.set_xlim(-1, 102)
        lower.set_ylabel("Answers, %")
        lower.set_ylim(0, 105)
        lower.set_yticks((0, 50, 100))
        lower.set_xlabel("Confidence, %")
        legend(figure, shown, lines=True)
    return figure


def risk_coverage(runs: Sequence[Scored]) -> "Figure | None":
    """Draw the share of wrong answers among those kept when the least confident are withheld.

    Returns:
        The figure, or None when no run has confidences.

    Source: Y. Geifman, R. El-Yaniv, Selective Classification for Deep Neural Networks, NeurIPS 2017.
    """
    known = _known(runs)
    if not known:
        return None
    shown = [run for run, _, _ in known]
    with look():
        figure = blank(3.3 + legend_height(shown))
        axes = figure.subplots()
        most = 0.0
        for run, mark, calibration in known:
            points = sorted(
                (100 * coverage, 100 * (1 - accuracy)) for coverage, accuracy, _ in calibration["risk_coverage"]
            )
            axes.plot([x for x, _ in points], [y for _, y in points], color=mark.colour, label=run.name)
            # the end has the mark of the legend: every question answered
            axes.plot(*points[-1], mark.shape, color=mark.colour, clip_on=False, zorder=5)
            most = max(most, *(y for _, y in points))
        axes.set_title("Wrong answers when the unsure ones are withheld")
        axes.set_xlabel("Questions answered, the most confident first, %")
        axes.set_ylabel("Of these wrong, %")
        in_percent(axes)
        axes.set_ylim(0, max(5.0, 1.1 * most))
        legend(figure, shown, lines=True)
    return figure


def _known(runs: Sequence[Scored]) -> list[tuple[Scored, Mark, dict[str, Any]]]:
    return [
        (run, mark, run.scores["calibration"])
        for run, mark in zip(runs, marks(runs), strict=True)
        if run.scores.get("calibration")
    ]


def _shares(bins: Sequence[dict[str, Any]], total: int) -> tuple[list[float], list[float]]:
    """Return the share of the answers in every bin, empty ones too, and the bins' edges, in percent."""
    number = round(1 / (bins[0]["high"] - bins[0]["low"]))
    shares = [0.0] * number
    for b in bins:
        shares[round(b["low"] * number)] = 100 * b["n"] / total
    return shares, [100 * i / number for i in range(number + 1)]
