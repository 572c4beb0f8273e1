"""Samples without pictures that other data sets hold too, so that nothing is learned from what is tested elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.data.leaks.looks import Looks, look_at
from radvqa.data.leaks.near import near_pairs
from radvqa.sample import Sample


@dataclass(frozen=True)
class Apart:
    """What was left out for the sake of one other data set.

    Attributes:
        of: the other one, ``name:version split``, or ``name:version`` for all its splits.
        samples: how many were left out.
        pictures: how many pictures they show.
        near: how many of these pictures are near-duplicates; the others are the same, pixel by pixel.
    """

    of: str
    samples: int
    pictures: int
    near: int


def named(other: str) -> tuple[str, str]:
    """Read ``name:version/split``, or ``name:version`` for all splits; returns the data set and the split or nothing.

    A user's own data are named by their YAML file: ``my.yaml/test``.

    Raises:
        DataError: for an unknown data set, version or split, with the nearest known one.
    """
    place, _, split = (other, "", "") if registry.is_own(other) else other.rpartition("/")
    place, split = (place, split) if place else (other, "")
    if split:
        registry.require_split(place, split)
    registry.select(place)
    return place, split


def without_pictures_of(
    samples: Sequence[Sample], others: Sequence[str], problems: Problems
) -> tuple[list[Sample], list[Apart]]:
    """Leave out samples whose picture, or nearly the same one, occurs in another data set.

    Pictures are the same, or near-duplicates, as ``radvqa data leaks`` finds them. A picture that several of the
    others hold is counted for the first.

    Args:
        samples: to thin out.
        others: data sets as ``named`` reads them.
        problems: where bad rows and pictures are reported.

    Returns:
        the samples that are left, in their order, and what was left out, one entry for each of ``others``.

    Raises:
        DataError: as ``named``, and for bad rows or pictures unless they are skipped.
    """
    kept, told = list(samples), []
    for other in others:
        place, split = named(other)
        theirs = registry.load_split(place, split, problems) if split else registry.load(place, problems)
        same, near = _shared(kept, theirs, problems)
        gone = [sample for sample in kept if sample.image_path in same or sample.image_path in near]
        full = f"{registry.select(place).name} {split}".strip()
        told.append(Apart(full, len(gone), len(same | near), len(near)))
        kept = [sample for sample in kept if sample.image_path not in same and sample.image_path not in near]
    return kept, told


def _shared(mine: Sequence[Sample], theirs: Sequence[Sample], problems: Problems) -> tuple[set[Path], set[Path]]:
    """Return our pictures that they have too, and those that look nearly as one of theirs."""
    looks = look_at({sample.image_path: sample.source or sample.id for sample in (*theirs, *mine)}, problems)
    here, there = _rows(looks, mine), _rows(looks, theirs)
    known = set(there.values())
    pairs, _ = near_pairs(looks.thumbnails, _homes(len(looks.thumbnails), set(here.values()), known))
    alike = {one for pair in pairs.tolist() for one, other in (pair, pair[::-1]) if other in known}
    same = {path for path, row in here.items() if row in known}
    return same, {path for path, row in here.items() if row in alike} - same


def _rows(looks: Looks, samples: Sequence[Sample]) -> Mapping[Path, int]:
    """Row of each picture; one that cannot be decoded has none."""
    return {s.image_path: looks.row[s.image_path] for s in samples if s.image_path in looks.row}


def _homes(count: int, here: set[int], there: set[int]) -> NDArray[np.int64]:
    """The side that each distinct picture is on, 0 or 1; -1 on both."""
    homes = np.zeros(count, dtype=np.int64)
    homes[list(there)] = 1
    homes[list(here & there)] = -1
    return homes
