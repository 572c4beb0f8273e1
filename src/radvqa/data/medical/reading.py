"""A picture as it is shown, and the greys that it was made of: for viewers whose users set the window themselves."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from radvqa.data.medical.window import Window

Kind = Literal["picture", "dicom", "nifti"]

AS_STORED = Window(128, 256)
"""The window that shows 8-bit greys as they are."""


@dataclass(frozen=True)
class Reading:
    """One picture of a file.

    Attributes:
        pixels: as it is shown, ``(height, width)`` or ``(height, width, 3)``.
        kind: of the file, by its content.
        values: greys before a window showed them, in the file's unit; None where the file holds colours.
        window: the linear window that shows it when no other is asked for; None of colours, and where a table or a
            curve of the file shows it.
        padding: which values stand for no image and are black in every window; None where none do.
        inverted: whether small values are bright.
        unit: ``HU`` where the file says so, else empty.
        ct: whether windows for CT fit.
        frames: in the file.
        axes: how many slices a volume has across each axis.
    """

    pixels: NDArray[np.uint8]
    kind: Kind = "picture"
    values: NDArray[Any] | None = None
    window: Window | None = None
    padding: NDArray[np.bool_] | None = None
    inverted: bool = False
    unit: str = ""
    ct: bool = False
    frames: int = 1
    axes: tuple[tuple[str, int], ...] = ()
