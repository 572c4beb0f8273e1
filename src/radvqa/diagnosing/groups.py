"""Groups of questions: one label of a dimension, or labels of two together, each set of questions once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    """

    parts: tuple[tuple[str, str], ...]
    rows: IntArray

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

    A group needs so many questions about so many images or cases, and as many questions outside. Whether two groups
    hold nearly the same questions is decided before any answer is looked at, so that it does not disturb the tests.

    Args:
        material: the answers.
        pairs: also of two dimensions.
        fewest: questions of a group.
        fewest_clusters: images or cases of a group.
    """
    labels = {name: np.array(list(dimension.labels(material))) for name, dimension in DIMENSIONS.items()}
    singles = [group for name, said in labels.items() for group in _singles(name, said)]
    large = [group for group in singles if _is_large(group.rows, material, fewest, fewest_clusters)]
    by_part = {group.parts[0]: group.rows for group in singles}
    wanted = list(large)
    if pairs:
        found = _pairs([name for name in labels if any(g.parts[0][0] == name for g in large)], labels, by_part)
        wanted += [group for group in found if _is_large(group.rows, material, fewest, fewest_clusters)]
    kept = _distinct([group.rows for group in wanted], len(material))
    groups = tuple(wanted[place] for place in kept)
    wider = tuple(tuple(by_part[part] for part in group.parts) if len(group.parts) > 1 else () for group in groups)
    return Cut(groups, wider, len(wanted) - len(groups))


def membership(rows: Sequence[IntArray], questions: int) -> csr_array:
    """Groups as a matrix of ones and zeros, ``(groups, questions)``."""
    starts = np.cumsum([0, *(len(one) for one in rows)])
    columns = np.concatenate(rows) if rows else np.zeros(0, np.intp)
    return csr_array((np.ones(len(columns), np.float32), columns, starts), shape=(len(rows), questions))


def _singles(name: str, said: np.ndarray[tuple[int], np.dtype[np.str_]]) -> Iterator[Group]:
    known, inverse = np.unique(said, return_inverse=True)
    for code, label in enumerate(known):
        if label:
            yield Group(((name, str(label)),), np.flatnonzero(inverse == code))


def _pairs(
    names: Sequence[str],
    labels: Mapping[str, np.ndarray[tuple[int], np.dtype[np.str_]]],
    by_part: Mapping[tuple[str, str], IntArray],
) -> Iterator[Group]:
    codes = {name: np.unique(labels[name], return_inverse=True) for name in names}
    for one, other in combinations(names, 2):
        (first, at_first), (second, at_second) = codes[one], codes[other]
        both = at_first * len(second) + at_second
        order = np.argsort(both, kind="stable")
        found, starts = np.unique(both[order], return_index=True)
        for code, rows in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
            left, right = str(first[code // len(second)]), str(second[code % len(second)])
            whole = left and right and min(len(by_part[one, left]), len(by_part[other, right]))
            if left and right and len(rows) < whole:
                yield Group(((one, left), (other, right)), rows)


def _is_large(rows: IntArray, material: Material, fewest: int, fewest_clusters: int) -> bool:
    if not fewest <= len(rows) <= len(material) - fewest:
        return False
    return len(np.unique(material.cluster[rows])) >= fewest_clusters


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
