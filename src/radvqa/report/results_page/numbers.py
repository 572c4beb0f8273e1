"""The numbers of a system: exact match over its seeds with its interval, and what separates it from others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radvqa.report.numbers import mean_sd, percent, points
from radvqa.report.paired import Paired
from radvqa.report.scored import Group, Scored

if TYPE_CHECKING:
    from radvqa.scoring.statistics import IntArray, Statistic

METRIC = "exact_match"
NOT_DISTINGUISHABLE = "not distinguishable"

Interval = tuple[float, float]

_ROUNDING = 1e-9  # of a float, no difference


@dataclass(frozen=True)
class Value:
    """A share of right answers, as fractions.

    Attributes:
        mean: over the seeds.
        sd: sample standard deviation over the seeds; None for one.
        interval: 95 % over the test questions, drawn by picture or case; of several seeds that of their mean. None
            where it is unknown.
        seeds: how many runs.
    """

    mean: float
    sd: float | None
    interval: Interval | None
    seeds: int

    @property
    def written(self) -> str:
        """The mean, its spread over seeds and its interval: ``81.2 ± 0.3 [79.0, 83.4]``."""
        value = percent(self.mean) if self.sd is None else mean_sd(self.mean, self.sd)
        if self.interval is None:
            return value
        return f"{value} [{percent(self.interval[0])}, {percent(self.interval[1])}]"

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"mean": self.mean, "sd": self.sd, "interval": self.interval, "seeds": self.seeds}


def exact_match(group: Group) -> Value | None:
    """Return the exact match of a system over all questions; None when it is undefined."""
    from radvqa.scoring.statistics import cluster_intervals, over_seeds

    found = [run.value("overall", METRIC) for run in group.runs]
    known = [value for value in found if value is not None]
    if len(known) < len(found):
        return None
    summary = over_seeds(known)
    first = group.runs[0]
    if len(known) == 1:
        limits = first.scores["subsets"]["overall"].get(f"{METRIC}_interval")
        return Value(summary.mean, None, None if limits is None else (limits[0], limits[1]), 1)
    statistic = by_question(group)
    interval = None if statistic is None else cluster_intervals({"": statistic[0]}, statistic[1])[""]
    return Value(summary.mean, summary.sd, interval, len(known))


def by_question(group: Group) -> "tuple[Statistic, IntArray] | None":
    """Return the mean over seeds of right and wrong, question by question, and the cluster of each question.

    Returns:
        None when the runs did not answer the same questions.
    """
    import numpy as np

    from radvqa.scoring.items import items_of
    from radvqa.scoring.statistics import Mean

    asked = sorted(group.runs[0].predictions.values(), key=lambda prediction: prediction.id)
    if any(run.right.keys() != group.runs[0].right.keys() for run in group.runs):
        return None
    rights = np.array([[run.right[p.id] for p in asked] for run in group.runs], dtype=np.float64)
    return Mean(rights.mean(axis=0)), items_of(asked, str).cluster


def subset(group: Group, name: str) -> str:
    """Write the exact match on the open or the closed questions, without its interval."""
    found = group.mean_sd(name, METRIC) if len(group.runs) > 1 else None
    return percent(group.runs[0].value(name, METRIC)) if found is None else mean_sd(*found)


def met(value: float, wanted: float) -> str:
    """Say whether a number in percent was reached, and by how much: ``met, +1.3`` or ``missed, −2.1``.

    What is printed is never rounded into its opposite: a number that is missed by a hundredth is ``missed, −0.01``.
    """
    return f"{'met' if reached(value, wanted) else 'missed'}, {gap(value, wanted)}"


def reached(value: float, wanted: float) -> bool:
    """Tell whether a number in percent is at least what was wanted."""
    return value - wanted > -_ROUNDING


def gap(value: float, wanted: float) -> str:
    """Write by how much, with as many digits as it takes to see on which side it is."""
    short = points((value - wanted) / 100)
    exact = value - wanted
    if short != "0.0" or abs(exact) < _ROUNDING:
        return short
    return f"{exact:+.1g}".replace("-", "−")


def holds(interval: Interval | None, wanted: float) -> bool:
    """Tell whether an interval of fractions holds a number in percent."""
    return interval is not None and 100 * interval[0] <= wanted <= 100 * interval[1]


def verdict(pair: Paired) -> str:
    """Say in few words what a paired difference shows; where it shows nothing, what would go unseen."""
    if pair.sure:
        return "better" if pair.difference > 0 else "worse"
    if pair.interval is None:
        return "cannot be tested"
    after = " after Holm's adjustment" if pair.interval[0] > 0 or pair.interval[1] < 0 else ""
    small = "" if pair.detectable is None else f"; below {100 * pair.detectable:.1f} goes unseen"
    return f"{NOT_DISTINGUISHABLE}{after}{small}"


def dataset_of(runs: Sequence[Scored]) -> str:
    """Name the data set and split of runs of one test."""
    scores = runs[0].scores
    return f"{scores.get('dataset')}, {scores.get('split')} split"
