"""Which part of a picture a model sees, whatever resizes and crops it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radvqa.data.store import Resizing
from radvqa.explaining.heat import Heat, enlarged

_NEAR = 0.02  # of a side: resampling blurs the ends of a ramp by so much


@dataclass(frozen=True)
class Framing:
    """A rectangle of the picture, as shares of its height and width."""

    top: float = 0.0
    left: float = 0.0
    bottom: float = 1.0
    right: float = 1.0

    @classmethod
    def of(cls, resizing: Resizing, rows: int, columns: int) -> "Framing":
        """Find out by letting a model's own preprocessing resize two ramps, one across and one down.

        Args:
            resizing: of the model.
            rows: of the picture, in pixels.
            columns: of the picture.
        """
        left, right = _ends(resizing.apply(_ramp(columns, rows)).mean(0))
        top, bottom = _ends(resizing.apply(np.ascontiguousarray(_ramp(rows, columns).T)).mean(1))
        return cls(top, left, bottom, right)

    def spread(self, grid: NDArray[np.floating], rows: int, columns: int) -> Heat:
        """Lay a grid of patches over the picture that they are patches of; what the model does not see is 0.

        Args:
            grid: ``(r, c)``.
            rows: of the picture, in pixels.
            columns: of the picture.
        """
        top, bottom = round(self.top * rows), max(round(self.bottom * rows), round(self.top * rows) + 1)
        left, right = round(self.left * columns), max(round(self.right * columns), round(self.left * columns) + 1)
        heat = np.zeros((rows, columns), np.float32)
        heat[top:bottom, left:right] = enlarged(grid, bottom - top, right - left)
        return heat


def _ramp(length: int, others: int) -> NDArray[np.uint8]:
    """Brightness that says how far along a side a pixel lies, ``(others, length)``."""
    along = (np.arange(length) + 0.5) / length * 255
    return np.repeat(along.round().astype(np.uint8)[None], others, 0)


def _ends(along: NDArray[np.floating]) -> tuple[float, float]:
    """Where a resized ramp begins and ends; the line through its middle half is continued to the borders."""
    values = np.asarray(along, np.float64) / 255
    if len(values) < 4:  # too few pixels for a line
        return 0.0, 1.0
    at = (np.arange(len(values)) + 0.5) / len(values)
    middle = slice(len(values) // 4, -(len(values) // 4))
    slope, begin = np.polyfit(at[middle], values[middle], 1)
    low, high = float(begin), float(begin + slope)
    return (0.0 if low < _NEAR else low), (1.0 if high > 1 - _NEAR else high)
