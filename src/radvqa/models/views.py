"""Views: changed copies of training pictures, for backbones that are frozen and therefore computed once.

A frozen backbone cannot learn from augmentation, but what stands on it can: each training picture gets a few
fixed views (turned, shifted, scaled, brightened), whose features are computed once like any other.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from radvqa.data.store import ImageStore

_TURN = 10.0  # degrees, either way
_SCALE = (0.85, 1.15)
_SHIFT = 0.06  # of the side, either way
_GAMMA = (0.75, 1.3)
_GAIN = (0.85, 1.15)
_MARK = "#view"


def view_key(key: str, number: int) -> str:
    """Name a view of a picture; view 0 is the picture itself."""
    return f"{key}{_MARK}{number}" if number else key


@dataclass(frozen=True)
class Views:
    """A ``PictureSource`` that knows views; the same key always gives the same pixels.

    Attributes:
        store: holds the pictures.
    """

    store: ImageStore

    @property
    def name(self) -> str:
        """The preprocessing and the kind of views, as a file name."""
        return f"{self.store.name}-views1"

    def batch(self, keys: Sequence[str]) -> NDArray[np.uint8]:
        """Return pictures and views, ``(n, side, side, 3)``."""
        pictures = self.store.batch([key.partition(_MARK)[0] for key in keys])
        for row, key in enumerate(keys):
            if _MARK in key:
                pictures[row] = _changed(pictures[row], key)
        return pictures


def _changed(pixels: NDArray[np.uint8], key: str) -> NDArray[np.uint8]:
    random = np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little"))
    side = pixels.shape[0]
    angle = np.deg2rad(random.uniform(-_TURN, _TURN))
    scale = 1 / random.uniform(*_SCALE)
    across, down = random.uniform(-_SHIFT, _SHIFT, 2) * side
    cos, sin, middle = np.cos(angle) * scale, np.sin(angle) * scale, side / 2
    matrix = (
        *(cos, sin, middle - cos * middle - sin * middle + across),
        *(-sin, cos, middle + sin * middle - cos * middle + down),
    )
    moved = Image.fromarray(pixels).transform(
        (side, side), Image.Transform.AFFINE, tuple(map(float, matrix)), Image.Resampling.BILINEAR
    )
    light = (np.arange(256) / 255) ** random.uniform(*_GAMMA) * random.uniform(*_GAIN)
    table: NDArray[np.uint8] = np.round(np.clip(light, 0, 1) * 255).astype(np.uint8)
    changed: NDArray[np.uint8] = table[np.asarray(moved)]
    return changed
