"""Margins: stripes of one shade around what a picture shows, as scanning, padding and screenshots leave them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radvqa.data.image import Pixels

FLAT = 6
"""Grey levels by which a row or column of a margin may differ from the margin's shade."""

_MOST = 0.45  # of a side that may go from either end, so that something is left


@dataclass(frozen=True, slots=True)
class Margins:
    """Widths of the margins in pixels."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def any(self) -> bool:
        """Whether there is a margin at all."""
        return bool(self.top or self.bottom or self.left or self.right)


def margins(pixels: Pixels) -> Margins:
    """Measure the margins: rows and columns at the border that are of one shade over their whole length.

    A margin is as long as the side; the black corners of a round field of view are none.

    Args:
        pixels: ``(height, width)`` or ``(height, width, 3)``.
    """
    grey = pixels if pixels.ndim == 2 else pixels.max(axis=2)
    top, bottom = _ends(grey)
    left, right = _ends(grey.T)
    return Margins(top, bottom, left, right)


def without(pixels: Pixels, around: Margins) -> Pixels:
    """Cut margins off."""
    height, width = pixels.shape[:2]
    return pixels[around.top : height - around.bottom, around.left : width - around.right]


def share(around: Margins, height: int, width: int) -> float:
    """Share of the picture that the margins take."""
    kept = (height - around.top - around.bottom) * (width - around.left - around.right)
    return 1 - kept / (height * width)


def _ends(grey: NDArray[np.uint8]) -> tuple[int, int]:
    """Flat rows from the first on, and from the last on."""
    most = int(_MOST * len(grey))
    low, high = grey.min(axis=1).astype(int), grey.max(axis=1).astype(int)
    return _flat(low, high, most), _flat(low[::-1], high[::-1], most)


def _flat(low: NDArray[np.int_], high: NDArray[np.int_], most: int) -> int:
    shade = (low[0] + high[0]) / 2
    flat = (high - shade <= FLAT) & (shade - low <= FLAT)
    return min(most, int(np.argmin(flat)) if not flat.all() else 0)  # a picture of one shade shows nothing at all
