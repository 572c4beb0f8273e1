"""Intervals that respect that questions about one image are not independent, and summaries over seeds."""

import hashlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from radvqa.errors import RadvqaError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
Interval = tuple[float, float]
Totals = Any  # a FloatArray, or a scipy.sparse.csr_array where most entries are zero
Name = TypeVar("Name", bound=Hashable)

RESAMPLES = 2000
LEVEL = 0.95

_CELLS = 1 << 18  # resamples × clusters held at once: 2 MiB, so that the counts stay in the processor's cache
_FEWEST_ROWS = 32  # but so many resamples at least, or each product would read all totals for little work
_FEWEST_CLUSTERS = 2  # one cluster leaves nothing to resample


class Statistic(Protocol):
    """A number that is a function of totals over items, so that it can be computed again when clusters count anew.

    Letters: ``k`` totals, ``c`` clusters, ``r`` resamples.
    """

    def totals(self, cluster: IntArray, clusters: int) -> Totals:
        """Add up what the statistic needs within each cluster, ``(k, c)``.

        Args:
            cluster: the cluster of each item, in ``range(clusters)``.
            clusters: number of clusters.
        """
        ...

    def combine(self, totals: FloatArray) -> FloatArray:
        """Compute the statistic from totals over drawn clusters: ``(k, r)`` → ``(r,)``; NaN where undefined."""
        ...


def value(statistic: Statistic, items: int) -> float:
    """Compute a statistic of its items as they are."""
    totals = statistic.totals(np.zeros(items, dtype=np.intp), 1)
    return float(statistic.combine(totals if isinstance(totals, np.ndarray) else totals.toarray())[0])


@dataclass(frozen=True, eq=False)
class Mean:
    """The mean of one value per item; an item whose value is NaN is left out."""

    values: FloatArray

    def totals(self, cluster: IntArray, clusters: int) -> Totals:
        """Return sum and number of values."""
        known = ~np.isnan(self.values)
        sums = np.bincount(cluster[known], self.values[known], clusters)
        return np.stack([sums, np.bincount(cluster[known], minlength=clusters).astype(np.float64)])

    def combine(self, totals: FloatArray) -> FloatArray:
        """Divide the drawn clusters' sums by their sizes."""
        with np.errstate(invalid="ignore"):
            means: FloatArray = totals[0] / totals[1]
        return means


@dataclass(frozen=True, eq=False)
class MacroF1:
    """The unweighted mean of F1 over classes.

    With ``h`` hits of a class and ``m`` misses (as gold or as prediction), F1 is ``2h / (2h + m)``; a class that is
    only ever predicted counts 0. A class that no drawn item has is left out of that resample.

    Attributes:
        gold: class of each gold answer.
        prediction: class of each predicted answer.
        classes: the classes to average over; None for all that occur as gold or as prediction.
    """

    gold: IntArray
    prediction: IntArray
    classes: IntArray | None = None

    def totals(self, cluster: IntArray, clusters: int) -> Totals:
        """Return the hits of every class, then the misses of every class."""
        from scipy.sparse import coo_array

        known = np.union1d(self.gold, self.prediction) if self.classes is None else np.unique(self.classes)
        hit = self.gold == self.prediction
        missed = np.concatenate([self.gold[~hit], self.prediction[~hit]])
        where = np.concatenate([cluster[hit], cluster[~hit], cluster[~hit]])
        row = np.concatenate([np.searchsorted(known, self.gold[hit]), np.searchsorted(known, missed) + len(known)])
        if self.classes is not None:
            kept = np.isin(np.concatenate([self.gold[hit], missed]), known)
            row, where = row[kept], where[kept]
        table = coo_array((np.ones(len(row)), (row, where)), shape=(2 * len(known), clusters))
        return table.tocsr()  # classes are many and most clusters have few of them

    def combine(self, totals: FloatArray) -> FloatArray:
        """Average the F1 of the classes that were drawn."""
        hits, misses = np.split(totals, 2)
        whole = 2 * hits + misses
        with np.errstate(invalid="ignore", divide="ignore"):
            scores = np.where(whole > 0, 2 * hits / whole, 0.0).sum(axis=0)
            means: FloatArray = scores / (whole > 0).sum(axis=0)
        return means


@dataclass(frozen=True, eq=False)
class Within:
    """A statistic of some of the items, drawn together with all others.

    Attributes:
        statistic: over the items at ``rows``, in their order.
        rows: which items.
    """

    statistic: Statistic
    rows: IntArray

    def totals(self, cluster: IntArray, clusters: int) -> Totals:
        """Return the totals of these items within all clusters."""
        return self.statistic.totals(cluster[self.rows], clusters)

    def combine(self, totals: FloatArray) -> FloatArray:
        """Compute the statistic."""
        return self.statistic.combine(totals)


def cluster_intervals(
    statistics: Mapping[Name, Statistic],
    cluster: IntArray,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[Name, Interval | None]:
    """Compute 95 % percentile intervals with the cluster bootstrap; all statistics see the same resamples.

    Whole clusters are drawn with replacement, as many as there are, and the statistic is computed from the items of
    the drawn clusters. A resample in which a statistic is undefined (none of its items was drawn) is left out.
    Source: A. C. Davison, D. V. Hinkley, Bootstrap Methods and their Application, section 3.8 (resampling of whole
    groups) and section 5.3.1 (percentile limits).

    Args:
        statistics: by name; each over the same items, or ``Within`` some of them.
        cluster: any code of the cluster of each item.
        resamples: number of resamples.
        seed: of the draws; the result is the same for the same seed.

    Returns:
        Lower and upper limit by name; None where a statistic's items lie in fewer than two clusters.

    Raises:
        RadvqaError: when ``resamples`` is not positive.
    """
    return {name: limits(drawn) for name, drawn in resampled(statistics, cluster, resamples, seed).items()}


def resampled(
    statistics: Mapping[Name, Statistic], cluster: IntArray, resamples: int = RESAMPLES, seed: int = 0
) -> dict[Name, FloatArray | None]:
    """Draw clusters anew and compute every statistic of each resample, ``(r,)``; None with fewer than two clusters.

    Raises:
        RadvqaError: when ``resamples`` is not positive.
    """
    if resamples < 1:
        raise RadvqaError(f"An interval needs at least one resample, found {resamples}.")
    codes, inverse = np.unique(cluster, return_inverse=True)
    clusters = len(codes)
    plan = _Plan(clusters)
    for name, statistic in statistics.items():
        plan.add(name, statistic, statistic.totals(inverse, clusters))
    values: dict[Name, list[FloatArray]] = {name: [] for name in statistics if name in plan.places}
    if plan.places:
        for counts in _draws(clusters, resamples, seed):
            dense, sparse = counts @ plan.dense.T, plan.sparse @ counts.T
            for name, statistic in statistics.items():
                if name in values:
                    values[name].append(statistic.combine(plan.of(name, dense, sparse)))
    return {name: np.concatenate(values[name]) if name in values else None for name in statistics}


class _Plan:
    """The totals of all statistics as two matrices, so that each draw is two products whatever their number."""

    def __init__(self, clusters: int) -> None:
        self.clusters = clusters
        self.places: dict[Hashable, tuple[bool, IntArray]] = {}
        self._dense: list[FloatArray] = []
        self._known: dict[bytes, int] = {}
        self._sparse: list[Totals] = []
        self._sparse_rows = 0

    def add(self, name: Hashable, statistic: Statistic, totals: Totals) -> None:
        """Take in a statistic, unless all it counts lies in one cluster."""
        if isinstance(totals, np.ndarray):
            if np.count_nonzero(totals.any(axis=0)) >= _FEWEST_CLUSTERS:
                self.places[name] = True, np.array([self._row(row) for row in totals], dtype=np.intp)
        elif len(np.unique(totals.nonzero()[1])) >= _FEWEST_CLUSTERS:
            rows = totals.shape[0]
            self.places[name] = False, np.arange(self._sparse_rows, self._sparse_rows + rows)
            self._sparse.append(totals)
            self._sparse_rows += rows

    def _row(self, row: FloatArray) -> int:
        """Find or add one row; many statistics divide by the same sizes."""
        key = hashlib.blake2b(row.tobytes(), digest_size=16).digest()
        if key not in self._known:
            self._known[key] = len(self._dense)
            self._dense.append(row)
        return self._known[key]

    @cached_property
    def dense(self) -> FloatArray:
        """Rows that most clusters add to, ``(k, c)``."""
        return np.stack(self._dense) if self._dense else np.zeros((0, self.clusters))

    @cached_property
    def sparse(self) -> Any:
        """Rows that few clusters add to, ``(k, c)``."""
        from scipy.sparse import csr_array, vstack

        return vstack(self._sparse, format="csr") if self._sparse else csr_array((0, self.clusters))

    def of(self, name: Hashable, dense: FloatArray, sparse: FloatArray) -> FloatArray:
        """Pick the totals of one statistic, ``(k, r)``, from the products."""
        is_dense, rows = self.places[name]
        return dense[:, rows].T if is_dense else sparse[rows[0] : rows[-1] + 1]


def _draws(clusters: int, resamples: int, seed: int) -> Iterator[FloatArray]:
    """Yield how often each cluster is drawn, some resamples at a time; the seed alone decides the draws."""
    random = np.random.default_rng(seed)
    rows = min(resamples, max(_FEWEST_ROWS, _CELLS // clusters))
    counts = np.empty((rows, clusters))
    for start in range(0, resamples, rows):
        many = min(rows, resamples - start)
        for row in range(many):
            counts[row] = np.bincount(random.integers(0, clusters, clusters), minlength=clusters)
        yield counts[:many]


def limits(values: FloatArray | None) -> Interval | None:
    """Return the percentile limits of resampled values; NaN are left out, and None where nothing is left."""
    if values is None or np.isnan(values).all():
        return None
    lower, upper = np.nanquantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(lower), float(upper)


def clustered_standard_error(values: FloatArray, cluster: IntArray) -> float | None:
    """Estimate the standard error of a mean whose items come in clusters; None with fewer than two clusters.

    The mean is a ratio of the clusters' sums and sizes; its linearised residuals are summed within each cluster, with
    the usual ``m / (m - 1)`` for ``m`` clusters. Source: W. G. Cochran, Sampling Techniques, 1977, section 9A.1 (ratio
    to size); E. Miller, Adding Error Bars to Evals, arXiv 2411.00640, equation 4, has it without the correction.
    """
    codes, inverse = np.unique(cluster, return_inverse=True)
    many = len(codes)
    if many < _FEWEST_CLUSTERS:
        return None
    residuals = np.bincount(inverse, values - values.mean(), many)
    return float(np.sqrt(many / (many - 1) * (residuals**2).sum()) / len(values))


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """A score over several training seeds.

    Attributes:
        mean: arithmetic mean, in the unit of the values.
        sd: sample standard deviation (divisor n - 1); None for a single seed.
        n: number of seeds.
    """

    mean: float
    sd: float | None
    n: int


def over_seeds(values: Sequence[float]) -> SeedSummary:
    """Summarise one score of several seeds; what the spread shows is training, not the sampling of questions.

    Raises:
        RadvqaError: when there are no values.
    """
    if not values:
        raise RadvqaError("There are no seeds to summarise.")
    return SeedSummary(fmean(values), stdev(values) if len(values) > 1 else None, len(values))
