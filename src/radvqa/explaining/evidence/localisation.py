"""A map against the place that the question is about.

Pointing game: Zhang et al., Top-down neural attention by excitation backprop, IJCV 2018. Energy inside: Wang et al.,
Score-CAM, CVPR Workshops 2020.
"""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from radvqa.explaining.heat import Heat, is_flat, shares

Place = NDArray[np.bool_]
"""Which pixels are right, ``(rows, columns)``."""

_THRESHOLDS = 100


@dataclass(frozen=True)
class Localised:
    """How well a map finds a place.

    Attributes:
        hit: share of the map's highest pixels that lie inside; 1 or 0 where one pixel is highest.
        energy: share of the map's whole that lies inside.
        overlap: best intersection over union of the place and the map cut at a threshold; the threshold is chosen for
            this map, so that it says what the map could show and not what a fixed cut would.
        area: share of the picture that the place takes; what chance gives for ``hit`` and ``energy``.
    """

    hit: float
    energy: float
    overlap: float
    area: float

    def as_json(self) -> dict[str, float]:
        """As plain values."""
        return asdict(self)


def localised(heat: Heat, place: Place, *, tolerance: int = 0) -> Localised | None:
    """Compare a map with a place.

    Args:
        heat: ``(rows, columns)``.
        place: of the same size, with at least one pixel.
        tolerance: pixels around the place that count as inside for ``hit``, as the pointing game has it.

    Returns:
        None where the place is empty. A map that is the same everywhere hits by chance: its ``hit`` is the area.
    """
    if heat.shape != place.shape:
        raise ValueError(f"the map is {heat.shape}, the place {place.shape}")
    if not place.any():
        return None
    area = float(place.mean())
    if is_flat(heat):
        return Localised(area, area, area, area)
    near = grown(place, tolerance) if tolerance else place
    highest = heat == heat.max()
    energy = float(shares(heat)[place].sum())
    return Localised(float(near[highest].mean()), energy, best_overlap(heat, place), area)


def best_overlap(heat: Heat, place: Place) -> float:
    """Best intersection over union over all thresholds that change the cut at least by a hundredth of the pixels."""
    order = np.argsort(-heat, axis=None, kind="stable")
    inside = np.cumsum(place.ravel()[order])
    values = heat.ravel()[order]
    ends = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)  # equal values are cut together
    cuts = ends[np.unique(np.linspace(0, len(ends) - 1, min(len(ends), _THRESHOLDS)).round().astype(int))]
    union = place.sum() + (cuts + 1) - inside[cuts]
    return float((inside[cuts] / union).max())


def grown(place: Place, pixels: int) -> Place:
    """Return a place with all pixels within a distance (chessboard) of it."""
    found = place.copy()
    for axis in (0, 1):
        spread = found.copy()
        for step in range(1, pixels + 1):
            ahead, back = [slice(None)] * 2, [slice(None)] * 2
            ahead[axis], back[axis] = slice(step, None), slice(None, -step)
            spread[tuple(ahead)] |= found[tuple(back)]
            spread[tuple(back)] |= found[tuple(ahead)]
        found = spread
    return found
