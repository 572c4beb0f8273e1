"""Pixel data: decoded and written anew, so that nothing but pixels survives; burned-in text masked where asked.

Compressed streams carry comments and trailing bytes, and the bits above those in use may hold an overlay. What is
written is uncompressed, has exactly the length that the header says, and its unused bits are empty.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radvqa.data.deidentify.text_regions import Box, outermost, text_boxes
from radvqa.data.image import MAX_PIXELS
from radvqa.errors import ImageError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
MAX_VALUES = 2_000_000_000
"""Most values in all frames of a file."""

_GREY = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})
_COLOUR = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})  # all come out as RGB
_LOSSY = frozenset(f"1.2.840.10008.1.2.4.{end}" for end in (50, 51, 81, 91, 203))


@dataclass
class Picture:
    """Decoded pixel data.

    Attributes:
        frames: ``(frames, height, width)`` or ``(frames, height, width, 3)``; stored values, not Hounsfield units.
        keyword: the attribute that holds them.
        photometric: interpretation after decoding.
    """

    frames: NDArray[Any]
    keyword: str
    photometric: str


def decode(old: "Dataset") -> Picture:
    """Decode all frames.

    Raises:
        ImageError: a sentence about "the file" that quotes nothing of it.
    """
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.pixels.utils import pixel_array

    keyword = next((keyword for keyword in KEYWORDS if keyword in old), None)
    if keyword is None:
        raise ImageError("It holds no picture.")
    shape = _shape(old)
    photometric = str(old.get("PhotometricInterpretation", ""))
    if photometric not in (_COLOUR if shape[3:] else _GREY):
        raise ImageError("Its colours are stored in a way that is retired or unknown; convert it first.")
    syntax = old.file_meta.TransferSyntaxUID
    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError:
        raise ImageError("Its transfer syntax is private or not one of pictures.") from None
    if not available:
        raise ImageError(
            f"It is compressed as {syntax.name}, for which no decoder is installed; `pip install "
            f"'radvqa[medical]'` brings most."
        )
    try:
        frames = pixel_array(old)
    except Exception:  # the decoders' errors of a dozen kinds may quote the header
        raise ImageError("Its pixel data is broken, cut off, or not as its header says.") from None
    return Picture(frames.reshape(shape), keyword, "RGB" if shape[3:] else photometric)


def _shape(old: "Dataset") -> tuple[int, ...]:
    """Frames, rows, columns, and 3 for colours, as the header says."""
    try:
        frames = int(old.get("NumberOfFrames") or 1)
        rows, columns, samples = int(old.Rows), int(old.Columns), int(old.get("SamplesPerPixel", 1))
        high, stored = int(old.get("HighBit", 0)), int(old.get("BitsStored", 1))
    except Exception:
        raise ImageError("Its header does not say how large the picture is.") from None
    if frames < 1 or rows < 1 or columns < 1 or samples not in (1, 3):
        raise ImageError("Its header does not say how large the picture is.")
    if rows * columns > MAX_PIXELS or frames * rows * columns * samples > MAX_VALUES:
        raise ImageError(
            f"It claims more than {MAX_PIXELS:,} pixels a frame or {MAX_VALUES:,} values in all frames, the limits."
        )
    if high != stored - 1:
        raise ImageError("Its pixels are not stored in the lowest bits, a retired layout; convert it first.")
    return (frames, rows, columns, 3) if samples == 3 else (frames, rows, columns)


def find_text(picture: Picture, old: "Dataset") -> list[Box]:
    """Return the boxes that probably hold text in any frame; see ``text_regions`` for what this misses."""
    return outermost(box for frame in picture.frames for box in text_boxes(_grey(frame, picture, old)))


def _grey(frame: NDArray[Any], picture: Picture, old: "Dataset") -> NDArray[np.floating]:
    if picture.photometric == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        try:
            frame = apply_color_lut(frame, old)
        except Exception:
            raise ImageError("Its colour palette is broken.") from None
    values = frame.astype(np.float32)
    return values.mean(axis=2) if values.ndim == 3 else values


def mask(picture: Picture, boxes: list[Box]) -> None:
    """Fill boxes in every frame with the median of what surrounds each, so that a second look finds nothing."""
    picture.frames = picture.frames.copy()
    for frame in picture.frames:
        for left, top, width, height in boxes:
            ring = np.ones((height + 2, width + 2), bool)
            ring[1:-1, 1:-1] = False
            y, x = np.nonzero(ring)
            y, x = y + top - 1, x + left - 1
            inside = (y >= 0) & (x >= 0) & (y < frame.shape[0]) & (x < frame.shape[1])
            around = frame[y[inside], x[inside]]
            fill = np.sort(around, axis=0)[len(around) // 2] if len(around) else 0
            frame[top : top + height, left : left + width] = fill


def put(picture: Picture, old: "Dataset", new: "Dataset") -> None:
    """Write the frames into the new data set, uncompressed and little-endian."""
    from pydicom.pixels.utils import pack_bits

    frames = picture.frames
    new.SamplesPerPixel = 3 if frames.ndim == 4 else 1
    new.PhotometricInterpretation = picture.photometric
    new.Rows, new.Columns = frames.shape[1:3]
    if frames.ndim == 4:
        new.PlanarConfiguration = 0
    elif "PlanarConfiguration" in new:
        del new.PlanarConfiguration
    if picture.keyword != "PixelData":
        setattr(new, picture.keyword, frames.astype(frames.dtype.newbyteorder("<")).tobytes())
        return
    if int(old.BitsAllocated) == 1:
        content = pack_bits(frames.ravel())
    else:
        new.BitsAllocated = frames.dtype.itemsize * 8
        content = frames.astype(frames.dtype.newbyteorder("<")).tobytes()
    wide = int(new.BitsAllocated) > 8
    new.add_new(0x7FE00010, "OW" if wide else "OB", content + b"\0" * (len(content) % 2))
    if old.file_meta.TransferSyntaxUID in _LOSSY:
        new.LossyImageCompression = "01"
