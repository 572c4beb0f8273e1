"""Groups in the order of how sure it is that the model does worse in them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy import stats

from radvqa.diagnosing.drops import Drops, drops
from radvqa.diagnosing.groups import Cut, Group, membership
from radvqa.diagnosing.material import Material
from radvqa.scoring.statistics import FloatArray, IntArray

LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class Failing:
    """A group in which the model does worse than elsewhere.

    Attributes:
        group: which questions.
        n: how many.
        clusters: images or cases that they are about.
        accuracy: of the group.
        rest: of the other questions among which it is.
        drop: the second minus the first.
        interval: of the drop, at 95 %, for this group alone.
        p: of no difference, for this group alone.
        adjusted: the same for all groups that were tested.
        wrong: wrong answers of the group.
        new_wrong: those that are in no group ranked before it.
    """

    group: Group
    n: int
    clusters: int
    accuracy: float
    rest: float
    drop: float
    interval: tuple[float, float]
    p: float
    adjusted: float
    wrong: int
    new_wrong: int

    @property
    def sure(self) -> bool:
        """Whether chance among so many groups is ruled out."""
        return self.adjusted < LEVEL


@dataclass(frozen=True, eq=False)
class Ranking:
    """What ranking found.

    Attributes:
        failing: the groups with a drop, the surest first.
        tested: how many groups there were.
        worse_inside: pairs with a drop that are not shown to be worse than the wider groups that they lie in.
        left_out: groups that hold the same questions as another one.
    """

    failing: tuple[Failing, ...]
    tested: int
    worse_inside: int
    left_out: int


def adjusted(p: FloatArray) -> FloatArray:
    """Adjust p-values for their number, so that of the groups called sure at most a twentieth are expected to be false.

    Benjamini and Hochberg, Journal of the Royal Statistical Society B 57, 1995. Holm's method, which keeps even one
    false finding unlikely, would find little among hundreds of groups that share most of their questions; a list for
    people to look at may hold a few false ones. The method holds for tests that depend on each other positively, as
    those of overlapping groups do (Benjamini and Yekutieli, Annals of Statistics 29, 2001).
    """
    if not len(p):
        return p
    corrected: FloatArray = np.asarray(stats.false_discovery_control(p, method="bh"))
    return corrected


def ranked(material: Material, cut: Cut) -> Ranking:
    """Test every group and rank those with a drop: by adjusted p-value, then by the least drop to expect.

    A group of two dimensions is listed where it is also worse than the other questions of each of the two wider groups
    that it lies in, at 5 % each: else the wider group says it already.
    """
    found = _tested(material, cut.groups)
    corrected = adjusted(found.p)
    adds = _adds(material, cut, found)
    worse = found.drop > 0
    listed = [int(place) for place in np.flatnonzero(worse & adds)]
    listed.sort(key=lambda at: (round(float(corrected[at]), 12), -found.low[at], cut.groups[at].title))
    return Ranking(
        failing=tuple(_failing(listed, cut.groups, found, corrected, material.right)),
        tested=len(cut.groups),
        worse_inside=int((worse & ~adds).sum()),
        left_out=cut.left_out,
    )


def _tested(material: Material, groups: Sequence[Group]) -> Drops:
    """Compare every group with the other questions among which it is; those among the same ones at once."""
    alike: dict[int, list[int]] = {}
    for place, group in enumerate(groups):
        alike.setdefault(id(group.among), []).append(place)
    columns = {
        one.name: np.zeros(len(groups), np.intp if one.name in ("n", "clusters") else float) for one in fields(Drops)
    }
    for places in alike.values():
        among = groups[places[0]].among
        inside = membership([np.searchsorted(among, groups[place].rows) for place in places], len(among))
        found = drops(material.right[among], material.cluster[among], inside)
        for name, column in columns.items():
            column[places] = getattr(found, name)
    return Drops(**columns)


def _adds(material: Material, cut: Cut, found: Drops) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether each group says more than the wider ones; groups of one dimension do."""
    adds = np.ones(len(cut.groups), bool)
    asked = [at for at, wider in enumerate(cut.wider) if wider and found.drop[at] > 0]
    inside: list[IntArray] = []
    outside: list[IntArray] = []
    owner: list[int] = []
    for at in asked:
        for wider in cut.wider[at]:
            inside.append(cut.groups[at].rows)
            outside.append(np.setdiff1d(wider, cut.groups[at].rows, assume_unique=True))
            owner.append(at)
    if not owner:
        return adds
    size = len(material)
    against = drops(material.right, material.cluster, membership(inside, size), membership(outside, size))
    lower = (against.drop > 0) & (against.p < LEVEL)
    np.logical_and.at(adds, owner, lower)
    return adds


def _failing(
    listed: Sequence[int], groups: Sequence[Group], found: Drops, corrected: FloatArray, right: FloatArray
) -> list[Failing]:
    known = right > 0  # as if right answers were known, so that what remains are new wrong ones
    failing = []
    for at in listed:
        rows = groups[at].rows
        failing.append(
            Failing(
                group=groups[at],
                n=int(found.n[at]),
                clusters=int(found.clusters[at]),
                accuracy=float(found.accuracy[at]),
                rest=float(found.rest[at]),
                drop=float(found.drop[at]),
                interval=(float(found.low[at]), float(found.high[at])),
                p=float(found.p[at]),
                adjusted=float(corrected[at]),
                wrong=int((right[rows] == 0).sum()),
                new_wrong=int((~known[rows]).sum()),
            )
        )
        known[rows] = True
    return failing
