"""What can be measured of a picture without knowing what it shows; measured once for each file content."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radvqa import console, files, fingerprint
from radvqa.data import image
from radvqa.data.deidentify.text_regions import text_boxes
from radvqa.data.image import Pixels
from radvqa.data.margins import margins, share
from radvqa.data.markers import markers
from radvqa.errors import ImageError
from radvqa.table import Table

_VERSION = 1  # of what is measured and how; another number measures anew
_SIDE = 256  # pixels of the longer side on which sharpness is measured, so that pictures of any size compare
_RANGE = (5, 95)  # percentiles


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of one picture.

    Attributes:
        width: in pixels.
        height: in pixels.
        contrast: distance of the 5th and the 95th percentile of grey, as a share of the whole range.
        sharpness: mean step between neighbouring pixels, as a share of that distance, at 256 pixels.
        text: share of the picture inside boxes of burned-in text.
        markers: number of small bright shapes near the border, as markers are.
        letter_l: whether one of them is an L.
        letter_r: whether one of them is an R.
        border: share of the picture in margins of one shade.
    """

    width: float
    height: float
    contrast: float
    sharpness: float
    text: float
    markers: float
    letter_l: float
    letter_r: float
    border: float


def measured(pictures: Mapping[str, Path]) -> dict[str, Quality]:
    """Measure pictures; those that cannot be decoded are left out.

    Args:
        pictures: image name → file.
    """
    hashes = fingerprint.FileHashes().of(pictures.values())
    known = {key: path for path, key in hashes.items() if key is not None}
    table = Table(files.cache_folder() / "quality" / f"v{_VERSION}", "float32")
    missing = table.missing(known)
    if missing:
        with table.writing():
            table.append(_rows((key, known[key]) for key in table.missing(known)))
    found = set(known) - set(table.missing(known))
    return {
        name: Quality(*map(float, table.read(key)))
        for name, path in pictures.items()
        if (key := hashes.get(path)) in found and key is not None
    }


def _rows(wanted: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    pictures = list(wanted)
    with console.progress("measuring pictures", len(pictures)) as advance:
        for key, path in pictures:
            try:
                quality = quality_of(image.decode(path))
            except ImageError:
                continue
            finally:
                advance(1)
            yield key, np.array(astuple(quality), np.float32)


def quality_of(pixels: Pixels) -> Quality:
    """Measure one picture.

    Args:
        pixels: ``(height, width)`` or ``(height, width, 3)``.
    """
    grey = pixels.astype(np.float32) if pixels.ndim == 2 else pixels.astype(np.float32).mean(axis=2)
    height, width = grey.shape
    low, high = np.percentile(grey, _RANGE)
    found = markers(grey)
    letters = {marker.letter for marker in found}
    return Quality(
        width=width,
        height=height,
        contrast=float(high - low) / 255,
        sharpness=_sharpness(pixels, float(high - low)),
        text=_covered(grey),
        markers=len(found),
        letter_l="L" in letters,
        letter_r="R" in letters,
        border=share(margins(pixels), height, width),
    )


def _sharpness(pixels: Pixels, spread: float) -> float:
    small = image.shrink(pixels, _SIDE).astype(np.float32)
    grey = small if small.ndim == 2 else small.mean(axis=2)
    steps = [np.abs(np.diff(grey, axis=axis)).mean() for axis in (0, 1) if grey.shape[axis] > 1]
    return float(np.mean(steps)) / spread if spread and steps else 0.0


def _covered(grey: NDArray[np.float32]) -> float:
    covered = np.zeros(grey.shape, bool)
    for left, top, width, height in text_boxes(grey):
        covered[top : top + height, left : left + width] = True
    return float(covered.mean())
