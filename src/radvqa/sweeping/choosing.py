"""Which setting of a sweep is best, by the mean over its seeds on the selection split; never on the test split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from radvqa.scoring.statistics import over_seeds


@dataclass(frozen=True)
class Choice:
    """The outcome.

    Attributes:
        best: name of the setting.
        tied: others with the same mean; the first of all in the grid's order was taken.
        runner_up: the next best setting; None when there is no other.
        lead: difference of their means, in the metric's unit, never negative.
        sd: the larger standard deviation over seeds of the two; None when neither has several seeds.
    """

    best: str
    tied: tuple[str, ...] = ()
    runner_up: str | None = None
    lead: float = 0.0
    sd: float | None = None

    @property
    def within_the_spread(self) -> bool:
        """Whether other seeds could easily have chosen otherwise."""
        return self.sd is not None and self.lead <= self.sd


def spread(values: Sequence[float | None]) -> dict[str, Any] | None:
    """Return ``mean``, ``sd`` (of a sample; None for one value) and ``n``; None when nothing or not all is known."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    summary = over_seeds(known)
    return {"mean": summary.mean, "sd": summary.sd, "n": len(known)}


def choose(values: Mapping[str, Sequence[float]], *, smaller_is_better: bool = False) -> Choice:
    """Choose the setting with the best mean.

    Args:
        values: setting → one value for each of its seeds, in the grid's order; none is empty.
        smaller_is_better: whether the metric is a loss.

    Raises:
        RadvqaError: when a setting has no value.
    """
    sign = -1.0 if smaller_is_better else 1.0
    summaries = {name: over_seeds(found) for name, found in values.items()}
    ranked = sorted(summaries, key=lambda name: -sign * summaries[name].mean)  # a stable sort: ties keep their order
    best = ranked[0]
    tied = tuple(name for name in ranked[1:] if summaries[name].mean == summaries[best].mean)
    if len(ranked) == 1:
        return Choice(best)
    second = ranked[1]
    spreads = [sd for name in (best, second) if (sd := summaries[name].sd) is not None]
    return Choice(
        best,
        tied,
        second,
        sign * (summaries[best].mean - summaries[second].mean),
        max(spreads, default=None),
    )


def main_effects(
    axes: Mapping[str, Sequence[str]], settings: Sequence[tuple[Mapping[str, str], float]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Average over everything but one axis at a time.

    Args:
        axes: key → its values.
        settings: the values of each setting by key, and its mean.

    Returns:
        key → value → ``mean``, ``sd`` and ``n`` over the settings with that value; values that no setting has are
        left out. The sd is the spread between settings, not between seeds.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for key, known in axes.items():
        for value in known:
            summary = spread([mean for values, mean in settings if values.get(key) == value])
            if summary is not None:
                found.setdefault(key, {})[value] = summary
    return found
