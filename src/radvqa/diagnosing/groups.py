"""Groups of questions: one label of a dimension, or labels of two together, each set of questions once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
from scipy.sparse import csr_array

from radvqa.diagnosing.dimensions import DIMENSIONS
from radvqa.diagnosing.material import Material
from radvqa.scoring.statistics import IntArray

FEWEST_QUESTIONS = 20
FEWEST_CLUSTERS = 5
ALIKE = 0.95
"""Jaccard index from which two sets of questions are taken for one."""


@dataclass(frozen=True, eq=False)
class Group:
    """Some of the questions.

    Attributes:
        parts: dimension and label, one or two.
        rows: which questions.
        among: the questions that it is a part of: those about which its dimensions know something. A question without
            a labelled target is neither on target nor off, so it is not what a group of maps is compared with.
    """

    parts: tuple[tuple[str, str], ...]
    rows: IntArray
    among: IntArray

    @property
    def title(self) -> str:
        """What these questions have in common."""
        return " and ".join(f"{DIMENSIONS[name].title}: {label}" for name, label in self.parts)


@dataclass(frozen=True, eq=False)
class Cut:
    """A test cut into groups.

    Attributes:
        groups: that are tested, those of one dimension first.
        wider: of each group the places of the questions of its single parts; empty for groups of one part.
        left_out: how many groups were the same questions as another one.
    """

    groups: tuple[Group, ...]
    wider: tuple[tuple[IntArray, ...], ...]
    left_out: int


def cut(
    material: Material,
    *,
    pairs: bool = True,
    fewest: int = FEWEST_QUESTIONS,
    fewest_clusters: int = FEWEST_CLUSTERS,
) -> Cut:
    """Cut a test along every dimension, and along every two.

    A group needs so many questions about so many images or cases, and as many others to be compared with.
    Whether two groups hold nearly the same questions is decided before any answer is looked at, so that it does not
    disturb the tests.

    Args:
        material: the answers.
        pairs: also of two dimensions.
        fewest: questions of a group.
        fewest_clusters: images or cases of a group.
    """
    columns = {name: np.array(list(dimension.labels(material))) for name, dimension in DIMENSIONS.items()}
    labels = _Labels(columns)
    is_large = partial(_is_large, cluster=material.cluster, fewest=fewest, fewest_clusters=fewest_clusters)
    wanted = [group for name in columns for group in _singles(name, labels) if is_large(group)]
    if pairs:
        names = list(dict.fromkeys(group.parts[0][0] for group in wanted))
        wanted += [group for group in _pairs(names, labels) if is_large(group)]
    kept = _distinct([group.rows for group in wanted], len(material))
    groups = tuple(wanted[place] for place in kept)
    wider = tuple(tuple(labels.rows(*part) for part in g.parts) if len(g.parts) > 1 else () for g in groups)
    return Cut(groups, wider, len(wanted) - len(groups))


def membership(rows: Sequence[IntArray], questions: int) -> csr_array:
    """Groups as a matrix of ones and zeros, ``(groups, questions)``."""
    starts = np.cumsum([0, *(len(one) for one in rows)])
    columns = np.concatenate(rows) if rows else np.zeros(0, np.intp)
    return csr_array((np.ones(len(columns), np.float32), columns, starts), shape=(len(rows), questions))


class _Labels:
    """What the dimensions say, as codes; 0 is for what they do not know."""

    def __init__(self, columns: Mapping[str, np.ndarray[tuple[int], np.dtype[np.str_]]]) -> None:
        self.names = {name: ["", *sorted(set(said.tolist()) - {""})] for name, said in columns.items()}
        self.codes = {name: np.searchsorted(self.names[name], said) for name, said in columns.items()}
        self._among: dict[bytes, IntArray] = {}

    def rows(self, name: str, label: str) -> IntArray:
        """Questions with a label."""
        return np.flatnonzero(self.codes[name] == self.names[name].index(label))

    def among(self, *names: str) -> IntArray:
        """Questions about which all these dimensions know something; equal ones are one array."""
        known = np.logical_and.reduce([self.codes[name] > 0 for name in names])
        return self._among.setdefault(known.tobytes(), np.flatnonzero(known))


def _singles(name: str, labels: _Labels) -> Iterator[Group]:
    for label in labels.names[name][1:]:
        yield Group(((name, label),), labels.rows(name, label), labels.among(name))


def _pairs(names: Sequence[str], labels: _Labels) -> Iterator[Group]:
    for one, other in combinations(names, 2):
        among = labels.among(one, other)
        if not len(among):
            continue
        width = len(labels.names[other])
        both = labels.codes[one][among] * width + labels.codes[other][among]
        order = np.argsort(both, kind="stable")
        found, starts = np.unique(both[order], return_index=True)
        for code, places in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
            parts = ((one, labels.names[one][code // width]), (other, labels.names[other][code % width]))
            yield Group(parts, among[places], among)


def _is_large(group: Group, *, cluster: IntArray, fewest: int, fewest_clusters: int) -> bool:
    """Whether there is enough inside and outside."""
    if not fewest <= len(group.rows) <= len(group.among) - fewest:
        return False
    outside = np.setdiff1d(group.among, group.rows, assume_unique=True)
    return min(len(np.unique(cluster[group.rows])), len(np.unique(cluster[outside]))) >= fewest_clusters


def _distinct(rows: Sequence[IntArray], questions: int) -> list[int]:
    """Places of the groups that are not nearly the same as an earlier one."""
    if not rows:
        return []
    members = membership(rows, questions)
    sizes = np.array([len(one) for one in rows])
    shared = (members @ members.T).tocsr()
    same_as_earlier = np.zeros(len(rows), bool)
    for place in range(len(rows)):
        others = shared.indices[shared.indptr[place] : shared.indptr[place + 1]]
        together = shared.data[shared.indptr[place] : shared.indptr[place + 1]]
        alike = together / (sizes[place] + sizes[others] - together) >= ALIKE
        earlier = others[alike & (others < place)]
        same_as_earlier[place] = bool((~same_as_earlier[earlier]).any())
    return [int(place) for place in np.flatnonzero(~same_as_earlier)]
