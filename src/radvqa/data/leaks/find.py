"""Compare every two parts: shared pictures, near-duplicates, shared questions and rephrasings."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from radvqa.data.dataset import Problems
from radvqa.data.leaks.looks import Looks, look_at
from radvqa.data.leaks.near import near_pairs
from radvqa.data.leaks.parts import Part, parts_of
from radvqa.sample import Sample
from radvqa.text import unicode_words

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Shared:
    """What two parts have in common.

    Attributes:
        first: a counterpart in the second part, by the name (of a picture, or a sample's id) in the first.
        second: the same the other way round.
    """

    first: Mapping[str, str]
    second: Mapping[str, str]


@dataclass(frozen=True)
class Overlap:
    """What two parts have in common, kind by kind.

    Attributes:
        first: the part that is nearer to training; a folder of pictures counts as training.
        second: the other.
        same_picture: pictures of equal decoded pixels.
        same_file: those of them whose files are equal byte by byte.
        near: near-duplicate pictures as (first's, second's, correlation), most similar first.
        same_question: samples with the same question about the same picture.
        same_answer: those of them with the same answer.
        near_question: samples with the same question about near-duplicate pictures.
        rephrased: samples that ask about the same record of the data set in other words.
    """

    first: Part
    second: Part
    same_picture: Shared
    same_file: Shared
    near: Sequence[tuple[str, str, float]]
    same_question: Shared
    same_answer: Shared
    near_question: Shared
    rephrased: Shared

    @property
    def near_pictures(self) -> Shared:
        """Each near-duplicate picture and its most similar counterpart."""
        first: dict[str, str] = {}
        second: dict[str, str] = {}
        for mine, theirs, _ in self.near:
            first.setdefault(mine, theirs)
            second.setdefault(theirs, mine)
        return Shared(first, second)


def find_leaks(names: Sequence[str], problems: Problems | None = None) -> list[Overlap]:
    """Compare every two splits of some data sets, split files and folders of pictures.

    Args:
        names: data sets as ``name`` or ``name:version`` (their splits are compared with each other too), split
            files (``….json``), or folders of pictures.
        problems: where bad rows and pictures are reported; by default the first one raises.

    Returns:
        One overlap for every two parts, in the order that they were named; of the two a folder comes first, then
        what is nearer to training.

    Raises:
        DataError: for an unknown name, fewer than two parts, and bad rows or pictures.
    """
    problems = problems or Problems()
    parts = parts_of(names, problems)
    used_by: dict[Path, str] = {}
    for part in parts:
        for sample in part.samples:
            used_by.setdefault(sample.image_path, sample.source or sample.id)
        for name, path in part.pictures.items():
            used_by.setdefault(path, f"{part.name}: {name}")
    looks = look_at(used_by, problems)
    pairs, correlations = near_pairs(looks.thumbnails, _homes(parts, looks))
    partners: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for (left, right), correlation in zip(pairs.tolist(), correlations.tolist(), strict=True):
        partners[left].append((right, correlation))
        partners[right].append((left, correlation))
    overlaps = []
    for one, other in combinations(parts, 2):
        first, second = sorted((one, other), key=lambda part: (bool(part.dataset), part.held_out))
        overlaps.append(_compare(first, second, looks, partners))
    return overlaps


def _homes(parts: Sequence[Part], looks: Looks) -> NDArray[np.int64]:
    """Return for each distinct picture the one part that it is in, or -1 when it is in several."""
    homes = np.full(len(looks.thumbnails), len(parts))
    for number, part in enumerate(parts):
        for path in part.pictures.values():
            row = looks.row.get(path)
            if row is not None:
                homes[row] = number if homes[row] in (len(parts), number) else -1
    return homes


def _compare(first: Part, second: Part, looks: Looks, partners: Mapping[int, Sequence[tuple[int, float]]]) -> Overlap:
    def pixels(path: Path) -> int | None:
        return looks.row.get(path)

    def question(sample: Sample) -> tuple[Hashable, ...] | None:
        row = looks.row.get(sample.image_path)
        return None if row is None else (row, unicode_words(sample.question))

    def answered(sample: Sample) -> tuple[Hashable, ...] | None:
        asked = question(sample)
        return asked and (*asked, unicode_words(sample.answer))

    return Overlap(
        first,
        second,
        same_picture=_shared(first.pictures.items(), second.pictures.items(), lambda item: pixels(item[1]), _name),
        same_file=_shared(
            first.pictures.items(), second.pictures.items(), lambda item: looks.content.get(item[1]), _name
        ),
        near=_near(first, second, looks, partners),
        same_question=_shared(first.samples, second.samples, question, _id),
        same_answer=_shared(first.samples, second.samples, answered, _id),
        near_question=_near_question(first, second, looks, partners),
        rephrased=_shared(
            first.samples,
            second.samples,
            lambda sample: first.links.get(sample.id) or second.links.get(sample.id),
            _id,
        ),
    )


def _name(item: tuple[str, Path]) -> str:
    return item[0]


def _id(sample: Sample) -> str:
    return sample.id


def _shared(
    first: Iterable[Thing],
    second: Iterable[Thing],
    key: Callable[[Thing], Hashable | None],
    name: Callable[[Thing], str],
) -> Shared:
    """Match things by key, each with the first that it meets on the other side; None matches nothing."""
    sides: list[dict[Hashable, list[str]]] = []
    for things in (first, second):
        by_key: dict[Hashable, list[str]] = defaultdict(list)
        for thing in things:
            found = key(thing)
            if found is not None:
                by_key[found].append(name(thing))
        sides.append(by_key)
    here, there = sides
    common = [found for found in here if found in there]
    return Shared(
        {thing: there[found][0] for found in common for thing in here[found]},
        {thing: here[found][0] for found in common for thing in there[found]},
    )


def _near(
    first: Part, second: Part, looks: Looks, partners: Mapping[int, Sequence[tuple[int, float]]]
) -> list[tuple[str, str, float]]:
    there: dict[int, list[str]] = defaultdict(list)
    for name, path in second.pictures.items():
        if path in looks.row:
            there[looks.row[path]].append(name)
    found = [
        (name, other, correlation)
        for name, path in first.pictures.items()
        if path in looks.row
        for row, correlation in partners.get(looks.row[path], ())
        for other in there.get(row, ())
    ]
    return sorted(found, key=lambda pair: -pair[2])


def _near_question(
    first: Part, second: Part, looks: Looks, partners: Mapping[int, Sequence[tuple[int, float]]]
) -> Shared:
    asked: dict[tuple[int, str], list[str]] = defaultdict(list)
    for sample in second.samples:
        if sample.image_path in looks.row:
            asked[looks.row[sample.image_path], unicode_words(sample.question)].append(sample.id)
    here: dict[str, str] = {}
    there: dict[str, str] = {}
    for sample in first.samples:
        row = looks.row.get(sample.image_path)
        near = partners.get(row, ()) if row is not None else ()
        question = unicode_words(sample.question) if near else ""
        for other, _ in near:
            for id_ in asked.get((other, question), ()):
                here.setdefault(sample.id, id_)
                there.setdefault(id_, sample.id)
    return Shared(here, there)
