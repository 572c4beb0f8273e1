"""A heuristic that finds text burned into a picture: rows of small, high-contrast shapes near its borders.

It is no reader of text. It misses text in the middle of a picture, text of little contrast, letters larger than a
twelfth of the picture, and handwriting; it takes rulers and markers for text. What it leaves must be looked at.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Box = tuple[int, int, int, int]
"""Left, top, width, height, in pixels."""

CONTRAST = 0.25
"""How much brighter or darker than its surroundings ink is, as a share of the picture's range."""

BORDER = 0.25
"""Width of the strip along each border in which text is looked for, as a share of the side."""

LEAST_LETTERS = 3
_LEAST_HEIGHT = 5
_PADDING = 3
_SHADES = 0.12  # how much the brightest values of two letters of a line differ
_GAP = 2.5  # heights of a letter between two of a line
_CALM = 0.075  # standard deviation of the ground around a letter, as a share of the picture's range
_LEAST_ON_UNEVEN = 8  # letters in a row where the ground is not calm
_MOST_SHAPES = 4000  # of one picture that are compared with each other


def text_boxes(grey: NDArray[np.floating]) -> list[Box]:
    """Find boxes that probably hold text.

    Args:
        grey: ``(height, width)``, in any range.

    Returns:
        Boxes from top to bottom, within the picture.
    """
    height, width = grey.shape
    low, high = float(grey.min()), float(grey.max())
    if min(height, width) < 4 * _LEAST_HEIGHT or not high > low:
        return []
    scaled = ((grey - low) / (high - low)).astype(np.float32)
    tallest = max(24, height // 12)
    stroke = max(7, tallest // 3 | 1)
    found = []
    for bright in (scaled, 1 - scaled):
        ink = bright - ndimage.grey_opening(bright, (stroke, stroke)) > CONTRAST
        found += _lines(_letters(ink, bright, tallest), grey.shape)
    return outermost(found)


def outermost(boxes: Iterable[Box]) -> list[Box]:
    """Return the boxes that lie in no other one, from top to bottom."""
    kept: list[Box] = []
    for box in sorted(set(boxes), key=lambda box: -box[2] * box[3]):
        left, top, width, height = box
        if not any(x <= left and y <= top and x + w >= left + width and y + h >= top + height for x, y, w, h in kept):
            kept.append(box)
    return sorted(kept, key=lambda box: (box[1], box[0]))


@dataclass(frozen=True, slots=True)
class _Shapes:
    """Shapes of the size of a letter, or of a few that touch; ``level`` is the brightest value of each, 0 to 1.

    ``unrest`` is the standard deviation of the ground around a shape, ``count`` how many letters it is wide.
    """

    left: NDArray[np.int64]
    top: NDArray[np.int64]
    width: NDArray[np.int64]
    height: NDArray[np.int64]
    level: NDArray[np.float64]
    unrest: NDArray[np.float64]

    @property
    def count(self) -> NDArray[np.float64]:
        return np.maximum(1, np.round(self.width / self.height))

    def only(self, chosen: NDArray[np.intp]) -> "_Shapes":
        return _Shapes(*(getattr(self, field.name)[chosen] for field in fields(self)))


def _letters(ink: NDArray[np.bool_], bright: NDArray[np.float32], tallest: int) -> _Shapes:
    labels, number = ndimage.label(ink, np.ones((3, 3)))
    level = np.asarray(ndimage.maximum(bright, labels, np.arange(1, number + 1)), float).reshape(-1)
    rows: list[tuple[float, ...]] = []
    for index, (y, x) in enumerate(ndimage.find_objects(labels)):
        height, width = y.stop - y.start, x.stop - x.start
        if _LEAST_HEIGHT <= height <= tallest and width <= 10 * height and len(rows) < _MOST_SHAPES:
            around = np.s_[max(0, y.start - 1) : y.stop + 1, max(0, x.start - 1) : x.stop + 1]
            ground = bright[around][labels[around] != index + 1]
            unrest = float(ground.std()) if ground.size else 0.0
            rows.append((x.start, y.start, width, height, level[index], unrest))
    left, top, wide, high, levels, unrests = np.asarray(rows, float).reshape(-1, 6).T
    return _Shapes(left.astype(int), top.astype(int), wide.astype(int), high.astype(int), levels, unrests)


def _lines(letters: _Shapes, shape: tuple[int, int]) -> list[Box]:
    """Rows of letters near a border."""
    boxes = []
    for group in _connected(letters, np.arange(len(letters.left)), _GAP):
        for row in _rows(letters, group):
            box = _around(letters, row, shape)
            if _near_border(box, shape):
                boxes.append(box)
    return boxes


def _rows(letters: _Shapes, group: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Split neighbours by the line on which they stand; on an uneven ground, as of speckle, they must show more."""
    bottom = (letters.top + letters.height)[group]
    slack = max(1, int(letters.height[group].max()) // 8)
    while letters.count[group].sum() >= LEAST_LETTERS:
        on_line = np.abs(bottom - np.bincount(bottom).argmax()) <= slack
        for row in _connected(letters, group[on_line], _GAP):
            calm = np.median(letters.unrest[row]) <= _CALM
            if letters.count[row].sum() >= (LEAST_LETTERS if calm else _LEAST_ON_UNEVEN):
                yield row
        group, bottom = group[~on_line], bottom[~on_line]


def _connected(letters: _Shapes, chosen: NDArray[np.intp], gap: float) -> Iterator[NDArray[np.intp]]:
    """Groups that hang together by neighbours, with enough letters for text."""
    parts, member = connected_components(
        csr_array(_stand_together(letters.only(chosen), gap).astype(np.int8)), directed=False
    )
    enough = np.bincount(member, letters.count[chosen], minlength=parts) >= LEAST_LETTERS
    for part in np.flatnonzero(enough):
        yield chosen[member == part]


def _stand_together(letters: _Shapes, most_apart: float) -> NDArray[np.bool_]:
    """Which two are neighbours on one line, in one size and one shade, as printed letters are and speckle is not."""

    def apart(values: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(np.abs(values[:, None] - values[None, :]))

    large = np.maximum(letters.height[:, None], letters.height[None, :])
    small = np.minimum(letters.height[:, None], letters.height[None, :])
    right = letters.left + letters.width
    gap = np.maximum(letters.left[:, None] - right[None, :], letters.left[None, :] - right[:, None])
    return np.asarray(
        (apart(letters.top + letters.height) <= np.maximum(1, large // 8))
        & (large <= 1.5 * small + 1)
        & (apart(letters.level) <= _SHADES)
        & (gap <= most_apart * large)
    )


def _around(letters: _Shapes, chosen: NDArray[np.intp], shape: tuple[int, int]) -> Box:
    """The box of a line, with room for what stands out of it: descenders, accents, commas, another letter."""
    height = int(letters.height[chosen].max())
    left = max(0, int(letters.left[chosen].min()) - height - _PADDING)
    top = max(0, int(letters.top[chosen].min()) - height // 3 - _PADDING)
    right = min(shape[1], int((letters.left + letters.width)[chosen].max()) + height + _PADDING)
    bottom = min(shape[0], int((letters.top + letters.height)[chosen].max()) + height // 3 + _PADDING)
    return left, top, right - left, bottom - top


def _near_border(box: Box, shape: tuple[int, int]) -> bool:
    left, top, wide, high = box
    height, width = shape
    inside_x = left >= BORDER * width and left + wide <= (1 - BORDER) * width
    inside_y = top >= BORDER * height and top + high <= (1 - BORDER) * height
    return not (inside_x and inside_y)
