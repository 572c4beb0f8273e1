"""Maps that know nothing of the model: what every method must beat."""

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from radvqa.explaining.heat import Heat, averaged, enlarged

Baseline = Callable[[NDArray[np.uint8], str], Heat]
"""From a picture, ``(rows, columns)`` or with colours, and a name that seeds chance, to a map of its size."""

_CELLS = 16  # of the random map along a side, as coarse as the maps of the models here


def at_random(picture: NDArray[np.uint8], name: str) -> Heat:
    """Random numbers on a grid as coarse as a model's; the same for the same name."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    grid = np.random.default_rng(seed).random((_CELLS, _CELLS))
    return enlarged(grid, *picture.shape[:2])


def in_the_centre(picture: NDArray[np.uint8], name: str) -> Heat:
    """A bell over the middle of the picture, a quarter of its sides wide: where radiology pictures show things."""
    tall, wide = (np.linspace(-1, 1, side) / 0.5 for side in picture.shape[:2])
    return np.exp(-0.5 * (tall[:, None] ** 2 + wide[None, :] ** 2)).astype(np.float32)


def edges(picture: NDArray[np.uint8], name: str) -> Heat:
    """Strength of edges (Sobel), smoothed as coarsely as the maps of models (Adebayo et al., NeurIPS 2018)."""
    grey = picture.astype(np.float64) if picture.ndim == 2 else picture.astype(np.float64).mean(2)
    padded = np.pad(grey, 1, mode="edge")
    across = padded[:, 2:] - padded[:, :-2]
    down = padded[2:, :] - padded[:-2, :]
    sobel_x = across[:-2] + 2 * across[1:-1] + across[2:]
    sobel_y = down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]
    strength = np.hypot(sobel_x, sobel_y)
    return enlarged(averaged(strength, _CELLS, _CELLS), *grey.shape)


BASELINES: dict[str, Baseline] = {"random": at_random, "centre": in_the_centre, "edges": edges}
