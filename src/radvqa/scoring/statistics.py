"""Intervals that respect that questions about one image are not independent, and summaries over seeds."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from radvqa.errors import RadvqaError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
Interval = tuple[float, float]
Name = TypeVar("Name", bound=Hashable)

RESAMPLES = 2000
LEVEL = 0.95

_CELLS = 1 << 18  # resamples × clusters held at once: 2 MiB, so that the counts stay in the processor's cache


class Statistic(Protocol):
    """A number computed from items, which can be computed again with the items' clusters counted anew."""

    def value(self) -> float:
        """Return the statistic of the items as they are."""
        ...

    def resampler(self, cluster: IntArray, clusters: int) -> Callable[[FloatArray], FloatArray]:
        """Return a function from counts (resamples × clusters) to one value per resample.

        Args:
            cluster: the cluster of each item, in ``range(clusters)``.
            clusters: number of clusters.
        """
        ...


@dataclass(frozen=True, eq=False)
class Mean:
    """The mean of one value per item."""

    values: FloatArray

    def value(self) -> float:
        """Return the mean."""
        return float(self.values.mean())

    def resampler(self, cluster: IntArray, clusters: int) -> Callable[[FloatArray], FloatArray]:
        """Return a function to the ratio of the drawn clusters' sums and sizes."""
        sums = np.bincount(cluster, self.values, clusters)
        sizes = np.bincount(cluster, minlength=clusters).astype(np.float64)

        def resampled(counts: FloatArray) -> FloatArray:
            means: FloatArray = (counts @ sums) / (counts @ sizes)
            return means

        return resampled


@dataclass(frozen=True, eq=False)
class MacroF1:
    """The unweighted mean of F1 over the classes that occur as gold or as prediction.

    With ``h`` hits of a class and ``m`` misses (as gold or as prediction), F1 is ``2h / (2h + m)``; a class that is
    only ever predicted counts 0. A class that no drawn item has is left out of that resample.
    """

    gold: IntArray
    prediction: IntArray

    def value(self) -> float:
        """Return macro-F1 of all items."""
        everything = np.zeros(len(self.gold), dtype=np.intp)
        return float(self.resampler(everything, 1)(np.ones((1, 1)))[0])

    def resampler(self, cluster: IntArray, clusters: int) -> Callable[[FloatArray], FloatArray]:
        """Return a function that counts hits and misses of each class anew, each item weighted by its cluster."""
        classes, codes = np.unique(np.concatenate([self.gold, self.prediction]), return_inverse=True)
        gold, prediction = codes[: len(self.gold)], codes[len(self.gold) :]
        hit = gold == prediction
        hit_class, hit_cluster = gold[hit], cluster[hit]
        miss_class = np.concatenate([gold[~hit], prediction[~hit]])
        miss_cluster = np.concatenate([cluster[~hit], cluster[~hit]])

        def macro_f1(count: FloatArray) -> float:
            hits = np.bincount(hit_class, count[hit_cluster], len(classes))
            misses = np.bincount(miss_class, count[miss_cluster], len(classes))
            whole = 2 * hits + misses
            drawn = whole > 0
            return float((2 * hits[drawn] / whole[drawn]).mean())

        def resampled(counts: FloatArray) -> FloatArray:
            return np.array([macro_f1(count) for count in counts])

        return resampled


def cluster_intervals(
    statistics: Mapping[Name, Statistic],
    cluster: IntArray,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[Name, Interval | None]:
    """Compute 95 % percentile intervals with the cluster bootstrap; all statistics see the same resamples.

    Whole clusters are drawn with replacement, as many as there are, and the statistic is computed from the items of
    the drawn clusters. Source: A. C. Davison, D. V. Hinkley, Bootstrap Methods and their Application, section 3.8
    (resampling of whole groups) and section 5.3.1 (percentile limits).

    Args:
        statistics: by name; each over the same items.
        cluster: any code of the cluster of each item.
        resamples: number of resamples.
        seed: of the draws; the result is the same for the same seed.

    Returns:
        Lower and upper limit by name; None where fewer than two clusters leave nothing to resample.

    Raises:
        RadvqaError: when ``resamples`` is not positive.
    """
    if resamples < 1:
        raise RadvqaError(f"An interval needs at least one resample, found {resamples}.")
    codes, inverse = np.unique(cluster, return_inverse=True)
    if len(codes) < 2:
        return dict.fromkeys(statistics)
    resamplers = {name: statistic.resampler(inverse, len(codes)) for name, statistic in statistics.items()}
    values: dict[Name, list[FloatArray]] = {name: [] for name in statistics}
    for counts in _draws(len(codes), resamples, seed):
        for name, resampled in resamplers.items():
            values[name].append(resampled(counts))
    return {name: _limits(np.concatenate(parts)) for name, parts in values.items()}


def _draws(clusters: int, resamples: int, seed: int) -> Iterator[FloatArray]:
    """Yield how often each cluster is drawn, a few resamples at a time; the seed alone decides the draws."""
    random = np.random.default_rng(seed)
    rows = max(1, _CELLS // clusters)
    for start in range(0, resamples, rows):
        many = min(rows, resamples - start)
        drawn = random.integers(0, clusters, size=(many, clusters))
        drawn += np.arange(many)[:, None] * clusters
        yield np.bincount(drawn.ravel(), minlength=many * clusters).reshape(many, clusters).astype(np.float64)


def _limits(values: FloatArray) -> Interval:
    lower, upper = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(lower), float(upper)


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
