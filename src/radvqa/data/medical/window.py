"""Windows: which part of a wide range of values becomes the 256 greys of a picture."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Function = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]

PERCENTILES = "percentiles"
"""The name of the window from the 1st to the 99th percentile of the picture's own values."""


@dataclass(frozen=True, slots=True)
class Window:
    """The VOI LUT function of DICOM PS3.3 C.11.2.1.

    Attributes:
        centre: the value shown as middle grey, in the units of the values.
        width: how many units lie between black and white.
        function: the shape in between.

    Raises:
        ValueError: when a number is not finite, or the width is below 1 (LINEAR) or not above 0.
    """

    centre: float
    width: float
    function: Function = "LINEAR"

    def __post_init__(self) -> None:
        narrow = self.width < 1 if self.function == "LINEAR" else self.width <= 0
        if not np.isfinite([self.centre, self.width]).all() or narrow:
            raise ValueError("The centre and width of a window are finite, and its width is at least 1.")

    @property
    def linear(self) -> "Window | None":
        """The same as a LINEAR window; None where there is none."""
        if self.function == "LINEAR_EXACT":
            return Window(self.centre + 0.5, self.width + 1)
        return self if self.function == "LINEAR" else None

    def greys(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Map values to greys, 0 to 255, rounded to the nearest; what is not a number becomes black.

        Args:
            values: any shape.
        """
        x = np.asarray(values, np.float64)
        if self.function == "SIGMOID":
            # tanh is the same curve as 1 / (1 + exp(-4 …)) and never overflows
            y = 0.5 + 0.5 * np.tanh(2 * (x - self.centre) / self.width)
        elif self.function == "LINEAR_EXACT":
            y = (x - self.centre) / self.width + 0.5
        elif self.width == 1:
            y = (x > self.centre - 0.5).astype(np.float64)
        else:
            y = (x - (self.centre - 0.5)) / (self.width - 1) + 0.5
        return _greys(np.clip(y, 0, 1))


PRESETS = {
    "lung": Window(-600, 1500),
    "mediastinum": Window(50, 350),
    "soft_tissue": Window(50, 350),
    "abdomen": Window(50, 400),
    "bone": Window(400, 1800),
    "brain": Window(40, 80),
}
"""Windows for CT in Hounsfield units, at values in common use; no standard fixes them, and hospitals differ."""


def by_percentiles(values: NDArray[Any], counted: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
    """Map the 1st to the 99th percentile of finite values linearly to 0 … 255.

    Where the two are equal, the smallest and the largest value take their place; one value alone becomes black.

    Args:
        values: any shape.
        counted: which values count in the percentiles; all by default.
    """
    between = percentiles(values, counted)
    return stretched(values, between) if between else np.zeros(np.shape(values), np.uint8)


def percentiles(values: NDArray[Any], counted: NDArray[np.bool_] | None = None) -> tuple[float, float] | None:
    """Return what ``by_percentiles`` shows as black and as white; None where all values are one, or none is finite."""
    x = np.asarray(values, np.float64)
    counting = np.isfinite(x) if counted is None else np.isfinite(x) & counted
    if not counting.any():
        return None
    low, high = np.percentile(x[counting], [1, 99])
    if low == high:
        low, high = x[counting].min(), x[counting].max()
    return None if low == high else (float(low), float(high))


def stretched(values: NDArray[Any], between: tuple[float, float]) -> NDArray[np.uint8]:
    """Map values from black to white linearly to 0 … 255."""
    x, (low, high) = np.asarray(values, np.float64), between
    # halves, because the difference of two finite numbers need not be finite
    return _greys(np.clip((x / 2 - low / 2) / (high / 2 - low / 2), 0, 1))


def reaching(between: tuple[float, float] | None) -> Window | None:
    """Return the window from one value to another; None where there is none, or it is too wide for a number."""
    try:
        return Window(sum(between) / 2 + 0.5, between[1] - between[0] + 1) if between else None
    except ValueError:
        return None


def _greys(shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.round(np.nan_to_num(shares, nan=0.0) * 255).astype(np.uint8)
