"""The long tail: are rare answers given as rightly as frequent ones?"""

from collections import defaultdict
from typing import TYPE_CHECKING

from radvqa.report.figures.style import INK, RUNS, blank, in_percent, look
from radvqa.report.paired import is_right
from radvqa.report.scored import Scored
from radvqa.text import NORMALISERS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MINIMUM = 5
_EDGES = (1, 2, 5, 10, 20, 50, 100)


def answer_accuracy(run: Scored) -> dict[str, tuple[int, int]]:
    """Count each normalised gold answer: how often it occurs in the scored split, and how often it was given."""
    normalise = NORMALISERS[run.scores["normaliser"]]
    found: dict[str, list[bool]] = defaultdict(list)
    for prediction in run.predictions.values():
        right = is_right(prediction, prediction.prediction, run.scores["normaliser"])
        found[normalise(prediction.answer)].append(right)
    return {answer: (len(rights), sum(rights)) for answer, rights in found.items()}


def long_tail(run: Scored) -> "Figure":
    """Draw accuracy of each gold answer against its count, and the pooled accuracy of equally rare ones.

    Single answers below ``MINIMUM`` occurrences are not drawn, as theirs is all or nothing; the line has them.
    """
    counted = answer_accuracy(run)
    shown = [(n, 100 * right / n) for n, right in counted.values() if n >= MINIMUM]
    centres, pooled, labels = [], [], []
    for low, high in zip(_EDGES, (*_EDGES[1:], 10**9), strict=True):
        inside = [(n, right) for n, right in counted.values() if low <= n < high]
        if inside:
            total = sum(n for n, _ in inside)
            centres.append(total / len(inside))
            pooled.append(100 * sum(right for _, right in inside) / total)
            labels.append(total)
    with look():
        figure = blank(3.6)
        axes = figure.subplots()
        axes.scatter(
            [n for n, _ in shown],
            [a for _, a in shown],
            s=26,
            color=RUNS[0],
            alpha=0.55,
            linewidths=0,
            label=f"one answer, at least {MINIMUM} questions",
        )
        axes.plot(centres, pooled, "o-", color=RUNS[1], label="answers of like count together (questions)")
        for centre, value, total in zip(centres, pooled, labels, strict=True):
            above = value < 90
            axes.annotate(
                f"{total:,}",
                (centre, value),
                xytext=(0, 7 if above else -14),
                textcoords="offset points",
                ha="center",
                fontsize=9,
                color=INK,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
            )
        axes.set_xscale("log")
        axes.set_xticks([1, 2, 5, 10, 20, 50, 100, 200], ["1", "2", "5", "10", "20", "50", "100", "200"])
        axes.minorticks_off()
        axes.set_xlim(0.8, 1.3 * max(n for n, _ in counted.values()))
        in_percent(axes, "y")
        axes.set_ylim(-3, 103)
        axes.set_xlabel("Questions with this gold answer in the scored split")
        axes.set_ylabel("Accuracy, %")
        axes.set_title("Rare and frequent answers")
        figure.legend(loc="outside lower left", ncols=1)
    return figure
