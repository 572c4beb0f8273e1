"""Changed pictures as PNG files in the cache folder: the same change of the same picture is made once."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from radvqa import files, fingerprint
from radvqa.data import image
from radvqa.data.image import Pixels
from radvqa.errors import ImageError
from radvqa.sample import Sample

SIDE = 256
"""Side in pixels of pictures that show nothing of any sample."""

_LONGEST = 80  # letters of a name


@dataclass(frozen=True)
class PictureFolder:
    """A folder of changed pictures.

    A file's name holds the digest of what it was made of, so that a file that is there is never stale, and the image
    store and the feature cache, which know pictures by content, hold it already in the next run.

    Attributes:
        path: the folder.
    """

    path: Path

    def keep(self, name: str, made_of: Sequence[str], make: Callable[[], Pixels]) -> Path:
        """Return the file of one picture, making it when it is not there.

        Args:
            name: begins the file's name, so that people find it.
            made_of: everything that decides the pixels: digests of sources, and the change with its strength.
            make: makes the pixels.
        """
        stem = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:_LONGEST]
        path = self.path / f"{stem}-{fingerprint.of_value(list(made_of))[:16]}.png"
        if not path.is_file():
            files.write_bytes(path, image.encode_png(make()))
        return path


def hashes_of(samples: Iterable[Sample]) -> dict[Path, str]:
    """Return the digest of every picture that can be read."""
    hashes = fingerprint.FileHashes().of(sample.image_path for sample in samples)
    return {path: found for path, found in hashes.items() if found is not None}


@lru_cache(maxsize=2)
def mean_picture(paths: tuple[Path, ...], digests: tuple[str, ...]) -> Pixels:
    """Average pictures pixel by pixel, each stretched to 256 × 256; those that cannot be decoded are left out.

    Args:
        paths: the pictures.
        digests: of their content, so that a changed file is read again.

    Returns:
        ``(256, 256)``, or ``(256, 256, 3)`` when any picture is in colour.

    Raises:
        ImageError: when none can be decoded.
    """
    total, number = np.zeros((SIDE, SIDE, 3)), 0
    for path in paths:
        try:
            pixels = image.resize(image.decode(path), SIDE, SIDE)
        except ImageError:
            continue  # the model that is asked about it reports it
        total += pixels if pixels.ndim == 3 else pixels[..., None]
        number += 1
    if not number:
        raise ImageError(f"None of the {len(paths)} pictures of the split can be decoded.")
    mean = np.round(total / number).astype(np.uint8)
    return np.ascontiguousarray(mean[..., 0]) if np.ptp(mean, axis=2).max() == 0 else mean
