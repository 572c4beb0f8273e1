"""Occlusion: cover a part of the picture and see how much less probable the answer is.

Source: Zeiler and Fergus, Visualizing and understanding convolutional networks, ECCV 2014.
"""

import numpy as np
from numpy.typing import NDArray

from radvqa.explaining import passes
from radvqa.explaining.evidence.faithfulness import Scores, blurred
from radvqa.explaining.heat import Heat

CELLS = 14


def occlusion(picture: NDArray[np.uint8], scores: Scores, cells: int = CELLS) -> Heat:
    """Explain one answer by ``cells² + 1`` questions to the model.

    Each window is two cells wide and moves by one, so that every pixel is covered about four times. What is covered is
    replaced by a blurred picture: a grey square would be something that the model has never seen.

    Args:
        picture: ``(rows, columns)`` or with colours.
        scores: probability of the explained answer.
        cells: windows along a side; no more than pixels.

    Returns:
        the mean drop in probability over the windows that cover a pixel; places that speak against the answer are 0.
    """
    rows, columns = picture.shape[:2]
    tall, wide = min(cells, rows), min(cells, columns)
    without = blurred(picture)
    windows = [_window(r, c, tall, wide, rows, columns) for r in range(tall) for c in range(wide)]
    covered = []
    for window in windows:
        changed = picture.copy()
        changed[window] = without[window]
        covered.append(changed)
    passes.expected(1 + len(covered))
    found = np.asarray(scores([picture, *covered]), np.float64)
    total, times = np.zeros((rows, columns)), np.zeros((rows, columns))
    for window, drop in zip(windows, found[0] - found[1:], strict=True):
        total[window] += drop
        times[window] += 1
    return np.maximum(total / np.maximum(times, 1), 0).astype(np.float32)


def _window(row: int, column: int, tall: int, wide: int, rows: int, columns: int) -> tuple[slice, slice]:
    """The cell and half a cell on each side of it."""
    top, left = (row - 0.5) * rows / tall, (column - 0.5) * columns / wide
    bottom, right = (row + 1.5) * rows / tall, (column + 1.5) * columns / wide
    return slice(max(0, round(top)), round(bottom)), slice(max(0, round(left)), round(right))
