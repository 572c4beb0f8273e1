"""Frozen means computed once: backbone features by picture, kept on disk and shared by every run that needs them.

The key is the picture's bytes; the table's name is everything else that could change a feature: weights,
preprocessing, pooling and number format.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from radvqa import console, files, waiting
from radvqa.errors import DataError
from radvqa.models.vision import VisionTower
from radvqa.table import Table

_PICTURES_PER_PASS = 16  # measured: larger passes are not faster on CPUs and cost memory
_PICTURES_PER_SHARD = 2048
_LARGEST_GB = 100.0
_KEPT_FREE = 1_000_000_000  # bytes of the disk that are left to others
_FORGETS: ContextVar[bool] = ContextVar("nothing is kept", default=False)


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Compute features each time they are asked for, and keep none on disk: the naive way, to be timed."""
    token = _FORGETS.set(True)
    try:
        yield
    finally:
        _FORGETS.reset(token)


def forgets() -> bool:
    """Whether ``nothing_kept`` holds."""
    return _FORGETS.get()


class Readable(Protocol):
    """Arrays by key."""

    def read(self, key: str) -> NDArray[Any]:
        """Return one."""
        ...


@dataclass(frozen=True)
class Held:
    """Arrays in RAM, where ``nothing_kept`` holds."""

    arrays: Mapping[str, NDArray[Any]]

    def read(self, key: str) -> NDArray[Any]:
        """Return one."""
        return self.arrays[key]


class PictureSource(Protocol):
    """Where pictures come from: the image store, or a view of it that changes them."""

    @property
    def name(self) -> str:
        """Everything that decides what a key's pixels are, as a file name."""
        ...

    def batch(self, keys: Sequence[str]) -> NDArray[np.uint8]:
        """Return pictures, ``(n, side, side, 3)``."""
        ...


@dataclass(frozen=True)
class Features:
    """Features of distinct pictures, in RAM.

    Attributes:
        pooled: one vector a picture, ``(pictures, p)``.
        tokens: patches of a picture, row by row, ``(pictures, n, d)``; empty when not asked for.
    """

    pooled: Tensor
    tokens: Tensor


@dataclass(frozen=True)
class Stored:
    """Features on disk, memory-mapped: a batch reads the pictures that it shows."""

    _pooled: Readable
    _patches: Readable | None

    def pooled(self, keys: Sequence[str]) -> Tensor:
        """Vectors of pictures, ``(pictures, p)``."""
        return _gather(self._pooled, keys)

    def tokens(self, keys: Sequence[str]) -> Tensor:
        """Patches of pictures in half precision, ``(pictures, n, d)``; empty when they were not asked for."""
        return _gather(self._patches, keys) if self._patches is not None else torch.empty(0)


def compute(tower: VisionTower, source: PictureSource, keys: Sequence[str], *, tokens: bool = False) -> Features:
    """Return the features of pictures in RAM, computing the missing ones; see ``store``."""
    stored = store(tower, source, keys, tokens=tokens)
    return Features(stored.pooled(keys), stored.tokens(keys))


def store(tower: VisionTower, source: PictureSource, keys: Sequence[str], *, tokens: bool = False) -> Stored:
    """Compute the features of pictures that are not on disk yet, with the tower in evaluation mode.

    Args:
        tower: a frozen backbone.
        source: holds the pictures.
        keys: distinct pictures, by content.
        tokens: keep the patch tokens too (half precision on disk and in RAM).

    Raises:
        DataError: when they would need more room than ``RADVQA_FEATURES_GB`` allows or the disk has.
    """
    if forgets():
        computed_now = list(_passes(tower, source, keys, tokens, lambda done: None))
        maps = {key: map_ for key, _, map_ in computed_now if map_ is not None}
        return Stored(Held({key: vector for key, vector, _ in computed_now}), Held(maps) if tokens else None)
    folder = files.cache_folder() / "features"
    # what a GPU computes in half precision must not pass for what a CPU computes in full
    computed = "-bf16" if tower.mean.device.type == "cuda" else ""
    name = f"{tower.digest()[:24]}-{source.name}-{tower.spec.pooling}{computed}"
    pooled = Table(folder / f"{name}-pooled-float32", "float32")
    patches = Table(folder / f"{name}-tokens-float16", "float16") if tokens else None
    tables = [pooled] if patches is None else [pooled, patches]
    if _missing(tables, keys):
        with pooled.writing(), patches.writing() if patches is not None else nullcontext():
            missing = _missing(tables, keys)
            with console.progress("computing image features", len(missing)) as advance:
                for start, end in _shards(len(missing)):
                    done = list(_passes(tower, source, missing[start:end], tokens, advance))
                    if not start:
                        each = sum(array.nbytes for array in done[0][1:] if array is not None)
                        check_room(len(missing), each, folder)
                    pooled.append((key, vector) for key, vector, _ in done)
                    if patches is not None:
                        patches.append((key, map_) for key, _, map_ in done if map_ is not None)
    return Stored(pooled, patches)


def _shards(pictures: int) -> Iterator[tuple[int, int]]:
    """Cut the work: one pass to see how large features are, then whole shards."""
    starts = [0, *range(_PICTURES_PER_PASS, pictures, _PICTURES_PER_SHARD)]
    return zip(starts, [*starts[1:], pictures], strict=True) if pictures else iter(())


def check_room(pictures: int, bytes_each: int, folder: Path, *, setting: str = "image_size") -> None:
    """Refuse before hours are spent, not when the disk is full.

    Args:
        pictures: whose features are to be written.
        bytes_each: of one picture's features.
        folder: where they go.
        setting: of the recipe, that makes features smaller.

    Raises:
        DataError: when they would need more room than ``RADVQA_FEATURES_GB`` allows or the disk has.
    """
    needed = pictures * bytes_each
    limit = float(os.environ.get("RADVQA_FEATURES_GB", _LARGEST_GB)) * 1e9
    free = shutil.disk_usage(folder).free - _KEPT_FREE
    if needed > min(limit, free):
        why = f"RADVQA_FEATURES_GB allows {limit / 1e9:g}" if limit < free else f"{max(0, free) / 1e9:.1f} are free"
        raise DataError(
            f"The features of {pictures:,} pictures need {needed / 1e9:.1f} GB in {folder}, but {why}. Set "
            f"RADVQA_FEATURES_GB or RADVQA_CACHE to where there is room, or use a smaller {setting}."
        )


def _missing(tables: Sequence[Table], keys: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(key for table in tables for key in table.missing(keys)))


def _gather(table: Readable, keys: Sequence[str]) -> Tensor:
    with waiting.for_data():
        first = table.read(keys[0])
        gathered = np.empty((len(keys), *first.shape), first.dtype)
        for row, key in enumerate(keys):
            gathered[row] = table.read(key)
    return torch.from_numpy(gathered)


def _passes(
    tower: VisionTower, source: PictureSource, keys: Sequence[str], tokens: bool, advance: console.Advance
) -> Iterator[tuple[str, NDArray[Any], NDArray[Any] | None]]:
    was_training = tower.training
    tower.eval()
    device = tower.mean.device
    with torch.inference_mode():
        for start in range(0, len(keys), _PICTURES_PER_PASS):
            part = keys[start : start + _PICTURES_PER_PASS]
            pixels = torch.from_numpy(source.batch(part)).to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                maps, vectors = tower.tokens(pixels)
            for row, key in enumerate(part):
                map_ = maps[row].to("cpu", torch.float16).numpy() if tokens else None
                yield key, vectors[row].to("cpu", torch.float32).numpy(), map_
            advance(len(part))
    tower.train(was_training)
