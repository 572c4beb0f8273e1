"""Decode any picture file safely to 8-bit grey or colour. The only place that decodes."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from radvqa import fingerprint
from radvqa.data.medical import dicom, nifti
from radvqa.data.medical.address import Address, View, parse_address
from radvqa.data.medical.reading import AS_STORED, Reading
from radvqa.data.medical.window import Window, reaching
from radvqa.data.quiet import no_warnings
from radvqa.errors import ImageError

MAX_PIXELS = 80_000_000
"""Largest picture that is decoded, in pixels; a header that claims more is refused before any pixel is read."""

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP")
MEDICAL = ("DICOM", "NIfTI")

Pixels = NDArray[np.uint8]


def decode(source: Path | bytes, *, name: str = "", max_pixels: int = MAX_PIXELS) -> Pixels:
    """Decode a picture to 8-bit pixels.

    Grey pictures (also those stored with three equal channels) come back with one channel. Palettes and CMYK
    become RGB; transparent parts are laid on black, the background of radiology; 16-bit values are scaled down
    linearly from the bit depth in use (8, 12 or 16 bits), never wrapped; the EXIF orientation is applied; of a
    file with several pages the first is taken. DICOM and NIfTI, which are known by their content, are shown as
    ``medical.dicom`` and ``medical.nifti`` say.

    Args:
        source: a file, or its bytes; a path may end in what is meant of a DICOM or NIfTI file, for instance
            ``scan.dcm#frame=3``, ``ct.dcm#window=lung`` or ``brain.nii.gz#slice=40&axis=coronal``.
        name: what to call the picture in messages; the path by default. Of bytes, its suffix counts where the
            content does not tell: DICOM without a preamble.
        max_pixels: refuse larger pictures.

    Returns:
        ``(height, width)`` for grey or ``(height, width, 3)`` for RGB.

    Raises:
        ImageError: when the file is missing, empty, no picture, broken, or too large.
    """
    return read(source, name=name, max_pixels=max_pixels).pixels


def read(source: Path | bytes, *, name: str = "", view: View | None = None, max_pixels: int = MAX_PIXELS) -> Reading:
    """Decode a picture, and return beside its pixels the greys that they were made of.

    Args:
        source: as for ``decode``.
        name: as for ``decode``.
        view: which picture of a file, instead of what a path ends in. A window with centre and width works on the
            greys of any picture.
        max_pixels: refuse larger pictures.

    Raises:
        ImageError: as ``decode``, and when there is no such frame or slice or the window does not fit.
    """
    name = name or (str(source) if isinstance(source, Path) else "the picture")
    address = parse_address(source) if isinstance(source, Path) else Address(Path(name), View())
    view = view or address.view
    content = read_bytes(address.path) if isinstance(source, Path) else source
    if not content:
        raise ImageError(f"{name} is empty (0 bytes).")
    if dicom.recognises(content, address.path.suffix):
        return _grey_if_grey(dicom.read(content, name, view, max_pixels))
    if nifti.recognises(content):
        return _grey_if_grey(nifti.read(content, name, view, max_pixels))
    lost = next((key for key in view.asked if key != "window" or isinstance(view.window, str)), None)
    if lost:
        raise ImageError(f"{name} is neither DICOM nor NIfTI; {lost} is for those.")
    try:
        with open_picture(content) as image:
            _check_size(image, name, max_pixels)
            return _windowed(_read(image), name, view)
    except Image.DecompressionBombError:
        raise ImageError(f"{name} has more than {max_pixels:,} pixels, the limit.") from None
    except UnidentifiedImageError:
        raise ImageError(f"{name} is not a picture in a known format ({', '.join((*FORMATS, *MEDICAL))}).") from None
    except ImageError:
        raise
    except Exception as error:  # broken files make the decoders raise a dozen kinds, struct.error among them
        raise ImageError(f"{name} is broken or cut off: {error}.") from None


def read_bytes(path: Path) -> bytes:
    """Read a picture file; what follows its name to address a part of it is left aside.

    Raises:
        ImageError: when it is missing or cannot be read.
    """
    path, _ = fingerprint.split_fragment(path)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"The picture {path} does not exist.") from None
    except OSError as error:
        raise ImageError(f"The picture {path} cannot be read: {error.strerror}.") from None


def resize(pixels: Pixels, width: int, height: int) -> Pixels:
    """Resize with an antialiased bilinear filter; the aspect is not kept, as seed 000 and most of the field do.

    Args:
        pixels: ``(h, w)`` or ``(h, w, 3)``.
        width: in pixels.
        height: in pixels.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))


def encode_png(pixels: Pixels) -> bytes:
    """Encode 8-bit pixels as PNG, fast rather than small."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def encode_jpeg(pixels: Pixels, quality: int = 90) -> bytes:
    """Encode 8-bit pixels as JPEG, for those who take nothing better."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def shrink(pixels: Pixels, side: int) -> Pixels:
    """Resize so that the longer side is at most ``side`` pixels; the aspect is kept, and nothing is enlarged."""
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    return resize(pixels, max(1, round(width * scale)), max(1, round(height * scale)))


def encode_webp(pixels: Pixels, quality: int = 70) -> bytes:
    """Encode 8-bit pixels as lossy WebP, small enough to put many into a page."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def open_picture(content: bytes) -> Image.Image:
    """Read the header of a picture; no pixel is decoded.

    Pillow's own warning about size is silenced, because our limit is checked by who decodes. Its errors, of a dozen
    kinds where the content is broken or cut off, come through.
    """
    with no_warnings():
        return Image.open(io.BytesIO(content), formats=FORMATS)


def _check_size(image: Image.Image, name: str, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(
            f"{name} is {width:,} × {height:,} = {width * height:,} pixels; the limit is {max_pixels:,}. "
            f"Scale it down before use."
        )


def _read(image: Image.Image) -> Reading:
    if image.format == "JPEG" or image.getexif():
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_grey(np.asarray(image, dtype=np.float64))
    if "A" in image.mode or "transparency" in image.info:
        transparent = image.convert("RGBA")
        black = Image.new("RGBA", transparent.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, transparent)
    grey = image.mode in ("L", "1")
    pixels = np.asarray(image.convert("L")) if grey else _one_channel_if_grey(np.asarray(image.convert("RGB")))
    return Reading(pixels) if pixels.ndim == 3 else Reading(pixels, values=pixels, window=AS_STORED)


def _windowed(reading: Reading, name: str, view: View) -> Reading:
    if not isinstance(view.window, Window):
        return reading
    if reading.values is None:
        raise ImageError(f"{name} holds colours; a window is for grey values.")
    return replace(reading, pixels=view.window.greys(reading.values))


def _grey_if_grey(reading: Reading) -> Reading:
    return replace(reading, pixels=_one_channel_if_grey(reading.pixels))


def _one_channel_if_grey(colour: Pixels) -> Pixels:
    if colour.ndim == 2:
        return colour
    grey = np.array_equal(colour[..., 0], colour[..., 1]) and np.array_equal(colour[..., 0], colour[..., 2])
    return np.ascontiguousarray(colour[..., 0]) if grey else colour


def _deep_grey(values: NDArray[Any]) -> Reading:
    """Scale 16-bit, 32-bit or floating grey linearly to 8 bits.

    Depths of 8, 12 and 16 bits are told apart by the largest value, so that zero stays black and a 12-bit
    radiograph in a 16-bit file is not shown almost black. Values outside 0…65535 are scaled by their own range.
    """
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 65535 or not np.isfinite([low, high]).all():
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
        low, high = float(values.min()), float(values.max())
        scaled = (values - low) * (255.0 / (high - low) if high > low else 0.0)
    else:
        low, high = 0.0, next(limit for limit in (255.0, 4095.0, 65535.0) if high <= limit)
        scaled = values * (255.0 / high)
    pixels = np.round(scaled).astype(np.uint8)
    return Reading(pixels, values=values, window=reaching((low, high)) if high > low else None)
