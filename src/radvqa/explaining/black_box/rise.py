"""RISE: ask about many randomly masked pictures, and weigh the masks by how probable the answer stays.

Source: Petsiuk et al., RISE: Randomized input sampling for explanation of black-box models, BMVC 2018.
"""

import numpy as np
from numpy.typing import NDArray

from radvqa.explaining import passes
from radvqa.explaining.evidence.faithfulness import Scores, blurred
from radvqa.explaining.heat import Heat, enlarged

MASKS, CELLS, KEPT = 400, 7, 0.5
_AT_ONCE = 50


def rise(picture: NDArray[np.uint8], scores: Scores, *, masks: int = MASKS, cells: int = CELLS, seed: int = 0) -> Heat:
    """Explain one answer by so many questions to the model.

    Args:
        picture: ``(rows, columns)`` or with colours; what a mask hides is replaced by a blurred picture.
        scores: probability of the explained answer.
        masks: how many; more are less noisy.
        cells: of a mask along a side, before it is shifted and smoothed.
        seed: of the masks.

    Returns:
        the expected probability where a pixel is kept, minus that over all masks; what is below is 0.
    """
    passes.expected(masks)
    random = np.random.default_rng(seed)
    rows, columns = picture.shape[:2]
    without = blurred(picture).astype(np.float64)
    total, kept, probability = np.zeros((rows, columns)), np.zeros((rows, columns)), 0.0
    for start in range(0, masks, _AT_ONCE):
        some = [_mask(random, rows, columns, cells) for _ in range(min(_AT_ONCE, masks - start))]
        shown = [_mixed(picture, without, mask) for mask in some]
        for mask, score in zip(some, np.asarray(scores(shown), np.float64), strict=True):
            total += score * mask
            kept += mask
            probability += float(score)
    mean = probability / masks
    return np.maximum(total / np.maximum(kept, 1e-9) - mean, 0).astype(np.float32)


def _mask(random: np.random.Generator, rows: int, columns: int, cells: int) -> NDArray[np.float64]:
    """Random cells, enlarged by one cell and cut at a random place."""
    grid = (random.random((cells + 1, cells + 1)) < KEPT).astype(np.float64)
    tall, wide = -(-rows // cells), -(-columns // cells)
    large = enlarged(grid, tall * (cells + 1), wide * (cells + 1))
    top, left = random.integers(0, tall), random.integers(0, wide)
    return large[top : top + rows, left : left + columns].astype(np.float64)


def _mixed(picture: NDArray[np.uint8], without: NDArray[np.float64], mask: NDArray[np.float64]) -> NDArray[np.uint8]:
    share = mask if picture.ndim == 2 else mask[..., None]
    return np.clip((share * picture + (1 - share) * without).round(), 0, 255).astype(np.uint8)
