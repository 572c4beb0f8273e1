"""Two answer sheets to the same questions: the difference in accuracy, and how sure it is."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from radvqa.prediction import Prediction
from radvqa.report.numbers import plural, points
from radvqa.text import NORMALISERS


@dataclass(frozen=True)
class Paired:
    """A paired difference in accuracy.

    Attributes:
        name: whose answers.
        against: whose answers they are compared with.
        difference: accuracy of ``name`` minus accuracy of ``against``, as a fraction.
        interval: its 95 % cluster-bootstrap interval; None where there is one cluster only.
        questions: how many questions both answered.
        clusters: how many independent images or cases these come from.
    """

    name: str
    against: str
    difference: float
    interval: tuple[float, float] | None
    questions: int
    clusters: int

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)

    @property
    def written(self) -> str:
        """The difference and its interval in points: ``+2.6 [+0.4, +4.9]``."""
        if self.interval is None:
            return points(self.difference)
        return f"{points(self.difference)} [{points(self.interval[0])}, {points(self.interval[1])}]"

    @property
    def sentence(self) -> str:
        """The difference in words."""
        doubt = "" if self.sure else "; the interval does not leave out zero, so neither is shown to be better"
        return (
            f"{self.name} minus {self.against}: {self.written} points, paired over "
            f"{plural(self.questions, 'question')} in {plural(self.clusters, 'cluster')}{doubt}."
        )

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "interval": None if self.interval is None else list(self.interval)}


def is_right(prediction: Prediction, answer: str, normaliser: str) -> bool:
    """Judge an answer as the accuracy does: equal to the gold after normalisation."""
    normalise = NORMALISERS[normaliser]
    return normalise(answer) == normalise(prediction.answer)


def compare_answers(
    name: str,
    answered: Mapping[str, str],
    against: str,
    other: Mapping[str, str],
    gold: Sequence[Prediction],
    normaliser: str,
) -> Paired | None:
    """Compare two answer sheets question by question.

    Args:
        name: whose answers ``answered`` are.
        answered: sample id → answer.
        against: whose answers ``other`` are.
        other: sample id → answer.
        gold: the questions with their gold answers.
        normaliser: name of the normaliser of the scores.

    Returns:
        The difference, or None when one of the two left out a question.
    """
    import numpy as np

    from radvqa.scoring.items import items_of
    from radvqa.scoring.statistics import Mean, cluster_intervals

    ordered = sorted(gold, key=lambda prediction: prediction.id)
    if not all(p.id in answered and p.id in other for p in ordered):
        return None
    one = items_of(ordered, NORMALISERS[normaliser], [answered[p.id] for p in ordered])
    two = items_of(ordered, NORMALISERS[normaliser], [other[p.id] for p in ordered])
    difference = (one.gold == one.prediction).astype(np.float64) - (two.gold == two.prediction)
    interval = cluster_intervals({"difference": Mean(difference)}, one.cluster)["difference"]
    return Paired(name, against, float(difference.mean()), interval, len(ordered), len(np.unique(one.cluster)))
