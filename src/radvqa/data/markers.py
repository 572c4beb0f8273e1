"""A heuristic that finds markers, as an L laid beside a patient: small bright shapes on dark ground near the border.

A shape that looks like a plain L or R, turned by up to 60 degrees, is named; others are markers without a name:
letters that are mirrored, worn or blurred, arrows, clips. It misses markers over tissue, and takes a bright rim on
black for one. Whole words are found by ``deidentify.text_regions``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from radvqa.data.deidentify.text_regions import Box

LETTERS = ("L", "R")

_LEAST_ALIKE = 0.74  # correlation with the drawn letter
_LEAST_AHEAD = 0.03  # of any other letter
_TURNS = range(-60, 61, 15)  # degrees
_GRID = (18, 18)  # rows and columns on which shapes are compared, their aspect kept
_SMALLEST, _LARGEST = 0.014, 0.09  # height of a letter as a share of the picture's shorter side
_LEAST_PIXELS = 8  # in height; below it an R is a blot
_STRIP = 0.2  # width of the strip along each border in which letters are looked for, as a share of the side
_CONTRAST = 0.22  # how much a marker stands out, as a share of the picture's range
_DARK = 0.45  # mean of the ground around it
_BRIGHT = 0.5  # brightest value of it
_FILLED = 0.2  # share of its box that a marker fills
_CALM = 0.05  # standard deviation of the ground around it
_ROOM = 0.35  # width of that ground, as a share of its height
_SIDE = 1200  # pixels of the longer side on which letters are looked for


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker in a picture.

    Attributes:
        letter: ``L`` or ``R``; empty where it is like neither.
        box: where it is, in pixels.
    """

    letter: str
    box: Box


def markers(grey: NDArray[np.floating]) -> list[Marker]:
    """Find markers.

    Args:
        grey: ``(height, width)``, in any range.

    Returns:
        The markers from top to bottom.
    """
    low, high = float(grey.min()), float(grey.max())
    if min(grey.shape) < 4 * _LEAST_PIXELS or not high > low:
        return []
    step = max(1, -(-max(grey.shape) // _SIDE))  # every second pixel of a large picture, and so on
    scaled = ((grey[::step, ::step] - low) / (high - low)).astype(np.float32)
    found = []
    for box, shape in _shapes(scaled):
        left, top, width, height = (step * side for side in box)
        found.append(Marker(_letter(shape), (left, top, width, height)))
    return sorted(found, key=lambda marker: (marker.box[1], marker.box[0]))


def _shapes(bright: NDArray[np.float32]) -> Iterator[tuple[Box, NDArray[np.bool_]]]:
    """Shapes as large as a letter on a calm ground: where each is, and its pixels there."""
    short = min(bright.shape)
    largest = max(2 * _LEAST_PIXELS, round(_LARGEST * short))
    ground = ndimage.grey_opening(bright, (largest // 2 | 1, largest // 2 | 1))
    ink = bright - ground > _CONTRAST
    labels, _ = ndimage.label(ink, np.ones((3, 3)))
    for number, (y, x) in enumerate(ndimage.find_objects(labels), start=1):
        height, width = y.stop - y.start, x.stop - x.start
        if not max(_LEAST_PIXELS, _SMALLEST * short) <= height <= largest or not 0.4 <= width / height <= 2:
            continue
        if (labels[y, x] == number).mean() < _FILLED:
            continue  # an edge of a table
        room = max(2, round(_ROOM * height))
        around = np.s_[max(0, y.start - room) : y.stop + room, max(0, x.start - room) : x.stop + room]
        free = bright[around][~ndimage.binary_dilation(labels[around] > 0, iterations=2)]
        calm = free.size > 0 and float(free.std()) <= _CALM and float(free.mean()) <= _DARK
        if calm and float(bright[y, x].max()) >= _BRIGHT and _near_border(y, x, bright.shape):
            yield (x.start, y.start, width, height), (labels[y, x] == number)


def _near_border(y: slice, x: slice, shape: tuple[int, int]) -> bool:
    middle = ((y.start + y.stop) / 2 / shape[0], (x.start + x.stop) / 2 / shape[1])
    return any(place <= _STRIP or place >= 1 - _STRIP for place in middle)


def _letter(shape: NDArray[np.bool_]) -> str:
    """Name the letter that a shape is most like; empty where it is like none, or like another letter."""
    seen = _on_grid(Image.fromarray(np.where(shape, 255, 0).astype(np.uint8)))
    alike = {letter: float((turned @ seen).max()) for letter, turned in _drawn().items()}
    best = max(alike, key=alike.__getitem__)
    other = max(value for letter, value in alike.items() if letter != best)
    return best if best in LETTERS and alike[best] >= _LEAST_ALIKE and alike[best] - other >= _LEAST_AHEAD else ""


@lru_cache(maxsize=1)
def _drawn() -> dict[str, NDArray[np.float64]]:
    """The letters, and shapes that must not be taken for them, in every turn: letter → ``(turns, cells)``."""
    drawn = {}
    for letter in (*LETTERS, "B", "P", "F", "E", "I", "A", "D", "T", "O", "M", "C"):
        canvas = Image.new("L", (200, 200))
        ImageDraw.Draw(canvas).text((100, 100), letter, fill=255, font=ImageFont.load_default(100), anchor="mm")
        turned = (canvas.rotate(turn, Image.Resampling.BILINEAR) for turn in _TURNS)
        drawn[letter] = np.stack([_on_grid(picture.crop(picture.getbbox())) for picture in turned])
    return drawn


def _on_grid(shape: Image.Image) -> NDArray[np.float64]:
    """Fit a shape into the grid, in its aspect, and scale its cells so that a product is a correlation."""
    scale = _GRID[0] / max(shape.size)
    width, height = (max(1, round(scale * side)) for side in shape.size)
    grid = np.zeros(_GRID)
    top, left = (_GRID[0] - height) // 2, (_GRID[1] - width) // 2
    grid[top : top + height, left : left + width] = np.asarray(shape.resize((width, height), Image.Resampling.BOX))
    centred = (grid - grid.mean()).ravel()
    length = float(np.sqrt((centred**2).sum()))
    scaled: NDArray[np.float64] = centred / (length or 1.0)
    return scaled
