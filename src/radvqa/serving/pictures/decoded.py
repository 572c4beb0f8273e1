"""What a decoding process sends back, and how greys travel: checked by who receives it, because files are hostile."""

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from radvqa.data.medical.reading import Kind

Type = Literal["uint8", "int16", "uint16", "float32"]

_PADDING = -32_768


class Decoded(BaseModel):
    """The header of an answer; the bytes behind it are little-endian values in the order of reading.

    Attributes:
        shape: rows, columns, and 3 for colours.
        type: of the values.
        kind: of the file.
        window: centre and width of the linear window that shows it by default; None where there is none.
        padding: the value that stands for no image and is black in every window; None where none does.
        inverted: whether small values are bright.
        unit: ``HU`` or empty.
        ct: whether windows for CT fit.
        frames: of the file.
        axes: slices by axis.
        has_text: whether text was found; None when nobody looked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    shape: tuple[int, int] | tuple[int, int, Literal[3]]
    type: Type
    kind: Kind
    window: tuple[float, float] | None = None
    padding: int | None = None
    inverted: bool = False
    unit: Literal["", "HU"] = ""
    ct: bool = False
    frames: int = Field(1, ge=1)
    axes: tuple[tuple[Literal["axial", "coronal", "sagittal"], int], ...] = ()
    has_text: bool | None = None

    def values(self, body: bytes) -> NDArray[Any]:
        """Return the values, which cannot be written to.

        Raises:
            ValueError: when the bytes are not as many as the header says.
        """
        kind = np.dtype(self.type).newbyteorder("<")
        if min(self.shape) < 1 or math.prod(self.shape) * kind.itemsize != len(body):
            raise ValueError("the header does not fit its bytes")
        return np.frombuffer(body, kind).reshape(self.shape)


def travelling(values: NDArray[Any], padding: NDArray[np.bool_] | None) -> tuple[NDArray[Any], int | None]:
    """Return greys in the smallest type that holds them, and the value that stands for padding in it.

    Args:
        values: ``(rows, columns)``.
        padding: which of them stand for no image.
    """
    seen = values if padding is None else np.where(padding, values.flat[int(np.argmin(padding))], values)
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
    whole = math.isfinite(low) and math.isfinite(high) and bool((np.rint(seen) == seen).all())
    if whole and padding is None and low >= 0 and high <= 255:
        return seen.astype("u1"), None
    if whole and high <= 32_767 and low >= (_PADDING if padding is None else _PADDING + 1):
        packed = seen.astype("<i2")
        if padding is None:
            return packed, None
        packed[padding] = _PADDING
        return packed, _PADDING
    if whole and padding is None and low >= 0 and high <= 65_535:
        return seen.astype("<u2"), None
    with np.errstate(over="ignore"):
        floats = seen.astype("<f4")
    if padding is not None:
        floats[padding] = np.nan  # black in every window too
    return floats, None
