"""A map against the model itself: take away what it calls important, and see whether the answer goes.

Deletion and insertion: Petsiuk et al., RISE, BMVC 2018.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radvqa.explaining.heat import Heat

Scores = Callable[[Sequence[NDArray[np.uint8]]], NDArray[np.floating]]
"""How probable the explained answer is on each of some pictures, ``(pictures,)``."""

STEPS = 16


@dataclass(frozen=True)
class Curve:
    """Probability of the answer while pixels go, or come.

    Attributes:
        shares: of the pixels that are gone or there, from 0 to 1.
        scores: probability at each.
        area: under the curve, by the trapezoid rule: small is good for deletion, large for insertion.
    """

    shares: tuple[float, ...]
    scores: tuple[float, ...]
    area: float


def deletion(picture: NDArray[np.uint8], heat: Heat, scores: Scores, steps: int = STEPS) -> Curve:
    """Replace pixels by a blurred picture, the most important ones first."""
    return _curve(picture, blurred(picture), heat, scores, steps)


def insertion(picture: NDArray[np.uint8], heat: Heat, scores: Scores, steps: int = STEPS) -> Curve:
    """Begin with the blurred picture and bring pixels back, the most important ones first."""
    return _curve(blurred(picture), picture, heat, scores, steps)


def _curve(begin: NDArray[np.uint8], end: NDArray[np.uint8], heat: Heat, scores: Scores, steps: int) -> Curve:
    if heat.shape != begin.shape[:2]:
        raise ValueError(f"the map is {heat.shape}, the picture {begin.shape[:2]}")
    order = np.argsort(-heat, axis=None, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    rank = rank.reshape(heat.shape)
    cuts = [round(heat.size * step / steps) for step in range(steps + 1)]
    pictures = [np.where(_beside(rank < cut, begin), end, begin) for cut in cuts]
    found = np.asarray(scores(pictures), np.float64)
    at = np.asarray(cuts) / heat.size
    area = float(((found[1:] + found[:-1]) / 2 * np.diff(at)).sum())
    return Curve(tuple(at.tolist()), tuple(found.tolist()), area)


def _beside(chosen: NDArray[np.bool_], picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return chosen if picture.ndim == 2 else chosen[..., None]


def blurred(picture: NDArray[np.uint8], share: float = 0.1) -> NDArray[np.uint8]:
    """Blur a picture so that details go and brightness stays: three box filters, which are nearly a Gaussian.

    Args:
        picture: ``(rows, columns)`` or with colours.
        share: width of the filters, as a share of the shorter side.
    """
    width = max(1, round(share * min(picture.shape[:2]) / 2))
    values = picture.astype(np.float64)
    for _ in range(3):
        for axis in (0, 1):
            values = _boxed(values, width, axis)
    return np.clip(values.round(), 0, 255).astype(np.uint8)


def _boxed(values: NDArray[np.float64], width: int, axis: int) -> NDArray[np.float64]:
    """Average over ``2·width + 1`` pixels along an axis; the border repeats."""
    padding = [(0, 0)] * values.ndim
    padding[axis] = (width + 1, width)
    summed = np.cumsum(np.pad(values, padding, mode="edge"), axis=axis)
    size = values.shape[axis]
    high = np.take(summed, np.arange(2 * width + 1, 2 * width + 1 + size), axis=axis)
    low = np.take(summed, np.arange(size), axis=axis)
    return (high - low) / (2 * width + 1)
