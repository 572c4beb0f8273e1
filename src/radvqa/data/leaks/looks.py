"""What a picture looks like, small enough to compare all with all; computed once for each file content."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from radvqa import console, files, fingerprint
from radvqa.data import image
from radvqa.data.dataset import Problems
from radvqa.errors import ImageError
from radvqa.table import Table

SIDE = 32
"""Side of the grey thumbnail in pixels, the size on which the perceptual hash is defined."""

_DIGEST = 32  # bytes of a SHA-256
_PICTURES_IN_FLIGHT = 16  # decoded at a time, so that memory stays bounded whatever their size
_PICTURES_PER_SHARD = 4096  # a killed build loses at most this many
_LOW = 8  # frequencies each way that the hash keeps


@dataclass(frozen=True)
class Looks:
    """Distinct pictures by decoded content.

    Attributes:
        row: which row a file's picture has, by path; files with equal pixels share a row.
        content: SHA-256 of each file, by path.
        thumbnails: ``(n, SIDE · SIDE)``, grey.
    """

    row: Mapping[Path, int]
    content: Mapping[Path, str]
    thumbnails: NDArray[np.uint8]


def look_at(used_by: Mapping[Path, str], problems: Problems) -> Looks:
    """Look at pictures, each distinct file content once and remembered in the cache folder.

    Args:
        used_by: what uses a picture, for messages, by the picture's path.
        problems: where pictures that cannot be decoded are reported; they have no row.

    Raises:
        DataError: for the first bad picture, unless bad ones are skipped.
    """
    hashes = fingerprint.FileHashes().of(used_by)
    table = Table(files.cache_folder() / "leaks" / f"thumbnail-box-{SIDE}", "uint8")
    first: dict[str, Path] = {}
    for path, key in hashes.items():
        if key is None:
            problems.report(f"{_why_not(path)} It is the picture of {used_by[path]}.")
        else:
            first.setdefault(key, path)
    bad: dict[str, ImageError] = {}
    if table.missing(first):
        with table.writing():  # another process may have looked while we waited: ask again inside
            missing = iter([(key, first[key]) for key in table.missing(first)])
            while part := list(islice(missing, _PICTURES_PER_SHARD)):
                table.append(_looked(part, bad))
    for key, error in bad.items():
        problems.report(f"{error} It is the picture of {used_by[first[key]]}.")
    rows: dict[bytes, int] = {}
    row_of_key: dict[str, int] = {}
    thumbnails: list[NDArray[np.uint8]] = []
    for key in first:
        if key in bad:
            continue
        record = table.read(key)
        pixels = record[:_DIGEST].tobytes()
        if pixels not in rows:
            rows[pixels] = len(thumbnails)
            thumbnails.append(record[_DIGEST:])
        row_of_key[key] = rows[pixels]
    content = {path: key for path, key in hashes.items() if key in row_of_key}
    stacked = np.stack(thumbnails) if thumbnails else np.empty((0, SIDE * SIDE), np.uint8)
    return Looks({path: row_of_key[key] for path, key in content.items()}, content, stacked)


def thumbnail(pixels: image.Pixels) -> NDArray[np.uint8]:
    """Average a picture's grey values over ``SIDE × SIDE`` cells; the aspect is not kept.

    Args:
        pixels: ``(h, w)`` or ``(h, w, 3)``.
    """
    grey = Image.fromarray(pixels).convert("L")
    return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX))


def perceptual_hashes(thumbnails: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Hash thumbnails so that similar pictures differ in few bits.

    The 8 × 8 lowest frequencies of the cosine transform, each a bit that says whether it exceeds their median.
    Source: Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010 (pHash); the bits
    are those of ``imagehash.phash``.

    Args:
        thumbnails: ``(n, SIDE · SIDE)``.

    Returns:
        ``(n,)``, 64 bits each.
    """
    frequency, place = np.arange(_LOW)[:, None], np.arange(SIDE)[None]
    cosines = 2 * np.cos(np.pi * frequency * (2 * place + 1) / (2 * SIDE))
    hashes = np.empty(len(thumbnails), np.uint64)
    for start in range(0, len(thumbnails), 4096):
        part = thumbnails[start : start + 4096].reshape(-1, SIDE, SIDE).astype(np.float64)
        low = (cosines @ part @ cosines.T).reshape(len(part), _LOW * _LOW)
        bits = low > np.median(low, axis=1, keepdims=True)
        hashes[start : start + len(part)] = np.packbits(bits, axis=1).view(np.uint64).ravel()
    return hashes


def _looked(wanted: Sequence[tuple[str, Path]], bad: dict[str, ImageError]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield ``(key, record)``: the SHA-256 of shape and pixels, then the thumbnail."""

    def one(item: tuple[str, Path]) -> tuple[str, NDArray[np.uint8] | ImageError]:
        key, path = item
        try:
            pixels = image.decode(path)
        except ImageError as error:
            return key, error
        digest = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()
        return key, np.concatenate([np.frombuffer(digest, np.uint8), thumbnail(pixels).ravel()])

    with ThreadPoolExecutor(os.cpu_count()) as pool, console.progress("looking at pictures", len(wanted)) as advance:
        for start in range(0, len(wanted), _PICTURES_IN_FLIGHT):
            for key, result in pool.map(one, wanted[start : start + _PICTURES_IN_FLIGHT]):
                advance(1)
                if isinstance(result, ImageError):
                    bad[key] = result
                else:
                    yield key, result


def _why_not(path: Path) -> str:
    try:
        image.read_bytes(path)
    except ImageError as error:
        return str(error)
    return f"The picture {path} could not be read."
