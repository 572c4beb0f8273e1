"""Maps over a picture: from a grid of patches to pixels, and from any numbers to shares."""

import numpy as np
from numpy.typing import NDArray

Heat = NDArray[np.float32]
"""How much each place matters, ``(rows, columns)``, at least 0; larger is more."""


def shares(values: NDArray[np.floating]) -> Heat:
    """Turn numbers into shares of 1; negative ones count as nothing, and a map of nothing stays one of zeros.

    Args:
        values: ``(rows, columns)``; NaN and infinities count as nothing.
    """
    kept = np.where(np.isfinite(values), np.maximum(values, 0), 0).astype(np.float64)
    total = kept.sum()
    return (kept / total if total > 0 else np.zeros_like(kept)).astype(np.float32)


def enlarged(grid: NDArray[np.floating], rows: int, columns: int) -> Heat:
    """Bring a grid of patches to pixels, bilinearly between the middles of the patches.

    Args:
        grid: ``(r, c)``, any size of 1 × 1 and more.
        rows: of the picture.
        columns: of the picture.
    """
    tall = _between(rows, grid.shape[0])
    wide = _between(columns, grid.shape[1])
    return (tall @ grid.astype(np.float64) @ wide.T).astype(np.float32)


def averaged(values: NDArray[np.floating], rows: int, columns: int) -> NDArray[np.float64]:
    """Bring pixels to a grid, each cell the mean of what it covers; a grid has no more cells than there are pixels.

    Args:
        values: ``(rows, columns)``.
        rows: of the grid, at most.
        columns: of the grid, at most.
    """
    found = values.astype(np.float64)
    for axis, cells in enumerate((rows, columns)):
        side = found.shape[axis]
        whole, longer = divmod(side, min(cells, side))
        sizes = np.array([whole + 1] * longer + [whole] * (min(cells, side) - longer))
        begins = np.append(0, np.cumsum(sizes)[:-1])
        found = np.add.reduceat(found, begins, axis) / (sizes[:, None] if axis == 0 else sizes)
    return found


def _between(pixels: int, patches: int) -> NDArray[np.float64]:
    """Weights of patches at each pixel, ``(pixels, patches)``; every row sums to 1."""
    at = np.clip((np.arange(pixels) + 0.5) * patches / pixels - 0.5, 0, patches - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, patches - 1)
    part = at - low
    weights = np.zeros((pixels, patches))
    weights[np.arange(pixels), low] += 1 - part
    weights[np.arange(pixels), high] += part
    return weights


def is_flat(heat: Heat) -> bool:
    """Whether a map says nothing: the same everywhere."""
    return bool(heat.max() - heat.min() <= 1e-12)
