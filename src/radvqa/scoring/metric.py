"""The seam for metrics: what a file of ``metrics/`` must offer to be in every score."""

from collections.abc import Callable
from dataclasses import dataclass

from radvqa.registry import Registry
from radvqa.scoring.items import Items
from radvqa.scoring.statistics import Statistic


@dataclass(frozen=True, slots=True)
class Undefined:
    """A metric that these items do not have; shown as such, never as 0."""

    reason: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A number between 0 and 1 that is larger when answers are better.

    Attributes:
        title: how tables name it.
        meaning: what it counts, in one or two sentences.
        source: who defined it so.
        measure: computes it from items; ``Undefined`` with the reason when these items do not have it.
        of_baselines: whether the trivial baselines are measured too; left out where it is slow and says little.
    """

    title: str
    meaning: str
    source: str
    measure: Callable[[Items], Statistic | Undefined]
    of_baselines: bool = True


_FILES: Registry[dict[str, Metric]] = Registry("radvqa.scoring.metrics", "METRICS")

METRICS: dict[str, Metric] = {name: metric for file in _FILES.values() for name, metric in file.items()}
"""Every metric by name; each file of ``metrics/`` adds its own."""
