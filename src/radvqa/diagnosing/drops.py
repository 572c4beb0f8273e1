"""How much lower the accuracy of many groups is than that of the other questions, and how sure that is, all at once.

The difference of two shares whose questions come in images or cases is linearised, its residuals are summed within
each image or case, and their squares give the variance: W. G. Cochran, Sampling Techniques, 1977, section 9A.1, for
two ratios, as ``scoring.statistics.clustered_standard_error`` has it for one. Letters: ``s`` groups, ``n`` questions,
``m`` clusters (images or cases).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from scipy.sparse import csr_array

from radvqa.scoring.statistics import LEVEL, FloatArray, IntArray

_CELLS = 1 << 23  # groups × clusters held at once
_PSEUDO = 2.0  # right and as many wrong answers, as Agresti and Coull (The American Statistician 52, 1998) add them


@dataclass(frozen=True, eq=False)
class Drops:
    """Differences of many groups; all ``(s,)``.

    Attributes:
        n: questions of the group.
        clusters: images or cases that they are about.
        accuracy: of the group.
        rest: accuracy of the other questions.
        error: standard error of the difference.
        low: lower limit of the drop (``rest`` minus ``accuracy``), at 95 %.
        high: its upper limit.
        p: of no difference, two-sided.
    """

    n: IntArray
    clusters: IntArray
    accuracy: FloatArray
    rest: FloatArray
    error: FloatArray
    low: FloatArray
    high: FloatArray
    p: FloatArray

    @property
    def drop(self) -> FloatArray:
        """How much lower the group's accuracy is."""
        return self.rest - self.accuracy


def drops(right: FloatArray, cluster: IntArray, inside: csr_array, outside: csr_array | None = None) -> Drops:
    """Compare groups with the other questions.

    Few clusters make such an error too small. So limits and p-values are those of Student's t with one degree less
    than the clusters on the smaller side, and the variance of either side is never taken below that of as many
    independent questions, with two right and two wrong ones added: a group without a right answer is not certain.

    Args:
        right: 1 for a right answer, 0 for a wrong one, ``(n,)``.
        cluster: code of each question's image or case, ``(n,)``.
        inside: the groups, ``(s, n)`` of zeros and ones.
        outside: what each is compared with; all other questions that are given by default.
    """
    _, inverse = np.unique(cluster, return_inverse=True)
    clusters = int(inverse.max(initial=-1)) + 1
    where = csr_array((np.ones(len(right)), (np.arange(len(right)), inverse)), shape=(len(right), clusters))
    hits = csr_array((right, (np.arange(len(right)), inverse)), shape=(len(right), clusters))
    step = max(1, _CELLS // max(1, clusters))
    parts = [
        _compared(inside[at : at + step], None if outside is None else outside[at : at + step], where, hits)
        for at in range(0, inside.shape[0], step)
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.zeros(0)] * 8
    return Drops(columns[0].astype(np.intp), columns[1].astype(np.intp), *columns[2:])


def _compared(
    inside: csr_array, outside: csr_array | None, where: csr_array, hits: csr_array
) -> tuple[FloatArray, ...]:
    """The columns of ``Drops`` for some groups."""
    many, found = _dense(inside @ where), _dense(inside @ hits)
    if outside is None:
        others, found_there = where.sum(axis=0) - many, hits.sum(axis=0) - found
    else:
        others, found_there = _dense(outside @ where), _dense(outside @ hits)
    accuracy, variance, held = _side(many, found)
    rest, variance_there, held_there = _side(others, found_there)
    n, n_there = many.sum(axis=1), others.sum(axis=1)
    residual = (found - accuracy[:, None] * many) / n[:, None]
    residual -= (found_there - rest[:, None] * others) / n_there[:, None]
    fewer = np.minimum(held, held_there)
    with np.errstate(divide="ignore", invalid="ignore"):
        clustered = (residual**2).sum(axis=1) * fewer / (fewer - 1)
    error = np.sqrt(np.maximum(np.where(fewer > 1, clustered, np.inf), variance + variance_there))
    freedom = np.maximum(fewer - 1, 1)
    drop = rest - accuracy
    width = stats.t.ppf((1 + LEVEL) / 2, freedom) * error
    p = 2 * stats.t.sf(np.abs(drop) / error, freedom)
    low, high = np.maximum(-1.0, drop - width), np.minimum(1.0, drop + width)
    return n, held, accuracy, rest, error, low, high, p


def _dense(totals: Any) -> FloatArray:
    dense: FloatArray = totals.toarray().astype(np.float64)
    return dense


def _side(many: FloatArray, found: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Accuracy, the least variance to believe in, and the number of clusters that take part."""
    n, hits = many.sum(axis=1), found.sum(axis=1)
    shifted = (hits + _PSEUDO) / (n + 2 * _PSEUDO)
    return hits / n, shifted * (1 - shifted) / (n + 2 * _PSEUDO), (many > 0).sum(axis=1).astype(np.float64)
