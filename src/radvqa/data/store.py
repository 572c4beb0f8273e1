"""The image store: each distinct picture is decoded once, resized once, and kept in a memory-mapped uint8 table."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from radvqa import console, files, fingerprint, waiting
from radvqa.data import image
from radvqa.data.dataset import Problems
from radvqa.errors import ImageError
from radvqa.sample import Sample
from radvqa.table import Table

_PICTURES_IN_FLIGHT = 16  # decoded at a time, so that memory stays bounded whatever their size
_PICTURES_PER_SHARD = 4096  # a killed build loses at most this many


class Resizing(Protocol):
    """How a decoded picture becomes the pixels that are kept."""

    @property
    def key(self) -> str:
        """Everything that decides what pixels come out, as a file name."""
        ...

    def apply(self, pixels: image.Pixels) -> image.Pixels:
        """Resize a picture, ``(h, w)`` or ``(h, w, 3)``, to 8-bit pixels of the same number of channels, or of 3."""
        ...


@dataclass(frozen=True)
class Preprocessing:
    """A ``Resizing`` to a square of one size.

    Attributes:
        size: side of the square in pixels; the aspect is not kept.
    """

    size: int

    @property
    def key(self) -> str:
        """The name of the table for this preprocessing."""
        return f"stretch-bilinear-{self.size}"

    def apply(self, pixels: image.Pixels) -> image.Pixels:
        """Stretch a picture to the square."""
        return image.resize(pixels, self.size, self.size)


class ImageStore:
    """Pictures by content, at one preprocessing.

    Args:
        preprocessing: how pictures are resized; what comes out may differ in size from picture to picture.
        root: where tables lie; the cache folder by default.
    """

    def __init__(self, preprocessing: Resizing, root: Path | None = None) -> None:
        self.preprocessing, self._root = preprocessing, root
        self._tables: dict[Path, Table] = {}

    @property
    def name(self) -> str:
        """The preprocessing, as a file name."""
        return self.preprocessing.key

    @property
    def _table(self) -> Table:
        """The table in the cache folder of now, which benchmarks change to an empty one."""
        folder = (self._root or files.cache_folder()) / "images" / self.preprocessing.key
        if folder not in self._tables:
            self._tables = {folder: Table(folder, "uint8")}  # what a folder of before held is let go
        return self._tables[folder]

    def add(self, samples: Sequence[Sample], problems: Problems | None = None) -> dict[str, str]:
        """Decode the pictures of these samples that the store does not hold yet.

        Args:
            samples: whose pictures are wanted.
            problems: where pictures that cannot be decoded are reported; by default the first one raises.

        Returns:
            content key by sample id; samples whose picture cannot be used are left out.

        Raises:
            DataError: names the picture, the file and the row.
        """
        problems = problems or Problems()
        hashes = fingerprint.FileHashes().of(sample.image_path for sample in samples)
        keys = {path: found or f"unreadable:{path}" for path, found in hashes.items()}
        first_use: dict[str, Sample] = {}
        for sample in samples:
            first_use.setdefault(keys[sample.image_path], sample)
        bad = {key: self._why_not(first_use[key]) for key in first_use if key.startswith("unreadable:")}
        readable = [key for key in first_use if key not in bad]
        if self._table.missing(readable):
            with self._table.writing():  # another process may have built it while we waited: ask again inside
                missing = iter([(key, first_use[key]) for key in self._table.missing(readable)])
                while part := list(islice(missing, _PICTURES_PER_SHARD)):
                    self._table.append(self._decoded(part, bad))
        users = Counter(keys[sample.image_path] for sample in samples)
        for key, why in bad.items():
            others = f" (and {users[key] - 1} more rows)" if users[key] > 1 else ""
            problems.report(f"{why} It is the picture of {first_use[key].source or first_use[key].id}{others}.")
        return {s.id: keys[s.image_path] for s in samples if keys[s.image_path] not in bad}

    def pixels(self, key: str) -> NDArray[np.uint8]:
        """Return one picture, ``(h, w)`` for grey or ``(h, w, 3)`` for colour, memory-mapped."""
        pixels: NDArray[Any] = self._table.read(key)
        return pixels

    def batch(self, keys: Sequence[str]) -> NDArray[np.uint8]:
        """Return pictures of one size as colour, ``(n, h, w, 3)``; grey ones repeat their channel."""
        with waiting.for_data():
            height, width = self.pixels(keys[0]).shape[:2] if keys else (0, 0)
            pictures = np.empty((len(keys), height, width, 3), np.uint8)
            for place, key in enumerate(keys):
                pixels = self.pixels(key)
                pictures[place] = pixels[..., None] if pixels.ndim == 2 else pixels
        return pictures

    def _decoded(self, wanted: Sequence[tuple[str, Sample]], bad: dict[str, str]) -> Iterator[tuple[str, Any]]:
        def one(item: tuple[str, Sample]) -> tuple[str, NDArray[np.uint8] | ImageError]:
            key, sample = item
            try:
                return key, self.preprocessing.apply(image.decode(sample.image_path))
            except ImageError as error:
                return key, error

        # threads suffice: Pillow decodes and resizes outside the interpreter's lock
        with (
            ThreadPoolExecutor(os.cpu_count()) as pool,
            console.progress("decoding images", len(wanted)) as advance,
        ):
            for start in range(0, len(wanted), _PICTURES_IN_FLIGHT):
                for key, result in pool.map(one, wanted[start : start + _PICTURES_IN_FLIGHT]):
                    advance(1)
                    if isinstance(result, ImageError):
                        bad[key] = str(result)
                    else:
                        yield key, result

    @staticmethod
    def _why_not(sample: Sample) -> str:
        try:
            image.read_bytes(sample.image_path)
        except ImageError as error:
            return str(error)
        return f"The picture {sample.image_path} could not be read."
