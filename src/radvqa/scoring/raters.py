"""How far people who judge the same things agree, beyond what chance would bring."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any


@dataclass(frozen=True)
class Agreement:
    """Two reviewers on what both judged.

    Attributes:
        reviewers: their names.
        pairs: how many both judged; skipped ones do not count.
        same: share on which they gave the same verdict.
        kappa: Cohen's (1960): 1 is full agreement, 0 what chance brings; None where chance alone agrees fully, or
            nothing was judged by both.
    """

    reviewers: tuple[str, str]
    pairs: int
    same: float | None
    kappa: float | None

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def between(verdicts: Mapping[str, Mapping[str, str]]) -> list[Agreement]:
    """Compare every two reviewers who judged something both.

    Args:
        verdicts: reviewer → what was judged → verdict.
    """
    found = []
    for one, other in combinations(sorted(verdicts), 2):
        shared = sorted(verdicts[one].keys() & verdicts[other].keys())
        if shared:
            found.append(_agreement((one, other), [(verdicts[one][p], verdicts[other][p]) for p in shared]))
    return found


def _agreement(reviewers: tuple[str, str], said: Sequence[tuple[str, str]]) -> Agreement:
    n = len(said)
    same = sum(one == other for one, other in said) / n
    first, second = Counter(one for one, _ in said), Counter(other for _, other in said)
    chance = sum(first[verdict] * second[verdict] for verdict in first) / n**2
    kappa = None if chance == 1 else (same - chance) / (1 - chance)
    return Agreement(reviewers, n, same, kappa)
