"""A map laid over its picture: the warmer, the more the place mattered."""

import numpy as np
from numpy.typing import NDArray

from radvqa.data.image import Pixels
from radvqa.explaining.heat import enlarged

_STRONGEST = 0.62  # share of colour where the map is highest, so that the picture stays to be seen
_FAINTEST = 0.15  # of the highest value, below which nothing is laid over
_WARM = np.array([[255.0, 214.0, 72.0], [255.0, 138.0, 34.0], [226.0, 36.0, 40.0]])  # from weak to strong


def overlaid(pixels: Pixels, grid: NDArray[np.floating]) -> Pixels:
    """Lay a map over a picture.

    Args:
        pixels: ``(height, width)`` or ``(height, width, 3)``.
        grid: ``(r, c)``, at least 0; a map of zeros changes nothing.
    """
    colour = pixels.astype(np.float64)
    colour = np.repeat(colour[..., None], 3, axis=2) if colour.ndim == 2 else colour
    highest = float(np.max(grid, initial=0.0))
    if not highest > 0:
        return np.round(colour).astype(np.uint8)
    heat = enlarged(grid.astype(np.float32) / highest, *pixels.shape[:2]).astype(np.float64)
    strength = np.clip((heat - _FAINTEST) / (1 - _FAINTEST), 0, 1)
    place = strength * (len(_WARM) - 1)
    low = np.minimum(place.astype(int), len(_WARM) - 2)
    part = (place - low)[..., None]
    warm = _WARM[low] * (1 - part) + _WARM[low + 1] * part
    share = _STRONGEST * np.sqrt(strength)[..., None]
    laid: Pixels = np.round(colour * (1 - share) + warm * share).astype(np.uint8)
    return laid
