"""Where a picture shows a body, and where it shows letters: what a map had better not point at."""

import numpy as np
from numpy.typing import NDArray

from radvqa.data.deidentify.text_regions import text_boxes
from radvqa.explaining.evidence.localisation import Place
from radvqa.explaining.heat import Heat, shares

_DARK = 0.06  # of the range of brightness above the darkest; air outside the body lies below


def body(picture: NDArray[np.uint8]) -> Place:
    """Everything but the dark ground that touches the border, ``(rows, columns)``; holes belong to the body.

    Args:
        picture: ``(rows, columns)`` or with colours.
    """
    from scipy import ndimage

    grey = _grey(picture)
    low, high = float(grey.min()), float(np.percentile(grey, 99))
    bright = grey > low + _DARK * max(high - low, 1.0)
    bright = ndimage.binary_opening(bright, iterations=2) if min(grey.shape) > 16 else bright
    filled: Place = ndimage.binary_fill_holes(bright)
    return filled if filled.any() else np.ones(grey.shape, bool)


def letters(picture: NDArray[np.uint8]) -> Place:
    """Boxes that probably hold burned-in text and markers, ``(rows, columns)``."""
    grey = _grey(picture)
    place = np.zeros(grey.shape, bool)
    for left, top, width, height in text_boxes(grey):
        place[top : top + height, left : left + width] = True
    return place


def share_in(heat: Heat, place: Place) -> float:
    """Share of a map that lies in a place; of a map of zeros the place's share of the picture."""
    parts = shares(heat)
    return float(parts[place].sum()) if parts.any() else float(place.mean())


def _grey(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    return picture.astype(np.float64) if picture.ndim == 2 else picture.astype(np.float64).mean(2)
