"""Tests of two answerers on the same questions, and what a test set can see at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radvqa.errors import RadvqaError
from radvqa.scoring.statistics import (
    RESAMPLES,
    FloatArray,
    IntArray,
    Interval,
    Mean,
    clustered_standard_error,
    limits,
    resampled,
)

_POWER = 1.959964 + 0.841621  # quantiles of the normal distribution: 5 % two-sided, and 80 % power
_DISCORDANT = 0.2  # share of questions that one of two fair models answers and the other does not


@dataclass(frozen=True, slots=True)
class PairedTest:
    """The difference between two answerers on the same questions.

    Attributes:
        difference: mean of the first minus mean of the second, as a fraction.
        interval: its 95 % cluster-bootstrap interval; None with fewer than two clusters.
        mcnemar_p: exact McNemar p-value, which takes questions as independent; NaN where values are not 0 or 1.
        bootstrap_p: two-sided p-value of the cluster bootstrap; None with fewer than two clusters.
        only_first: questions that only the first answers correctly (values: sum of what the first is ahead).
        only_second: the reverse.
        questions: number of questions.
        clusters: number of clusters.
        detectable: the smallest true difference that a test at 5 % finds with 80 % power, from the clustered
            standard error of this difference; NaN with fewer than two clusters.
    """

    difference: float
    interval: Interval | None
    mcnemar_p: float
    bootstrap_p: float | None
    only_first: float
    only_second: float
    questions: int
    clusters: int
    detectable: float


def paired_test(
    first: FloatArray, second: FloatArray, cluster: IntArray, *, resamples: int = RESAMPLES, seed: int = 0
) -> PairedTest:
    """Test whether two answerers differ.

    Args:
        first: value of each question, ``(n,)``: 1 for right and 0 for wrong, or a mean over training seeds.
        second: the same of the other answerer, in the same order.
        cluster: code of the image or case of each question, ``(n,)``.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        RadvqaError: when there are no questions, or the lengths differ.

    Source: Q. McNemar, Psychometrika 12, 1947, in its exact form; the bootstrap p-value is twice the smaller share of
    resamples on one side of zero, with one added to each side (Davison and Hinkley 1997, section 4.2.5).
    """
    if not len(first) == len(second) == len(cluster) or not len(first):
        raise RadvqaError(
            f"A paired test needs the same questions from both, found {len(first)} and {len(second)} values."
        )
    difference = first - second
    drawn = resampled({"": Mean(difference)}, cluster, resamples, seed)[""]
    error = clustered_standard_error(difference, cluster)
    return PairedTest(
        difference=float(difference.mean()),
        interval=limits(drawn),
        mcnemar_p=_mcnemar(first, second),
        bootstrap_p=None if drawn is None else _two_sided(drawn),
        only_first=float(difference[difference > 0].sum()),
        only_second=float(-difference[difference < 0].sum()),
        questions=len(difference),
        clusters=len(np.unique(cluster)),
        detectable=float("nan") if error is None else _POWER * error,
    )


def detectable_difference(questions: int) -> float:
    """Estimate the smallest paired difference that a test set of this size can show, before clustering.

    For 80 % power at 5 %, when the two models differ in correctness on 20 % of the questions: 3.8 points with 1,061
    questions, 5.9 with 451. Source: R. J. Connor, Biometrics 43, 1987, without the small correction for the
    difference itself.
    """
    return _POWER * float(np.sqrt(_DISCORDANT / questions))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values of several comparisons so that the chance of any false finding stays below the level.

    Source: S. Holm, Scandinavian Journal of Statistics 6, 1979.
    """
    order = np.argsort(p_values, kind="stable")
    many = len(p_values)
    adjusted = np.empty(many)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (many - rank) * p_values[place]))
        adjusted[place] = highest
    return [float(p) for p in adjusted]


def _mcnemar(first: FloatArray, second: FloatArray) -> float:
    """Test whether, where only one of the two is right, it is the first as often as the second."""
    from scipy.stats import binomtest

    if not np.isin(np.concatenate([first, second]), (0.0, 1.0)).all():
        return float("nan")
    only_first, only_second = int((first > second).sum()), int((first < second).sum())
    if not only_first + only_second:
        return 1.0
    return float(binomtest(only_first, only_first + only_second, 0.5).pvalue)


def _two_sided(drawn: FloatArray) -> float:
    below, above = int((drawn <= 0).sum()), int((drawn >= 0).sum())
    return min(1.0, 2 * (1 + min(below, above)) / (1 + len(drawn)))
