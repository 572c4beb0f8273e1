"""NIfTI volumes: one slice as a picture, in radiological convention whatever way the voxels are stored.

Source: nifti.nimh.nih.gov, nifti1.h and nifti2.h; orientation by nibabel's closest axes.
"""

import gzip
import io
import math
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radvqa.data.medical.address import View
from radvqa.data.medical.reading import Reading
from radvqa.data.medical.window import PRESETS, Window, percentiles, reaching, stretched
from radvqa.data.quiet import no_warnings
from radvqa.errors import ImageError

if TYPE_CHECKING:
    from nibabel import Nifti1Image

MAX_VOXELS = 1_000_000_000
"""Largest volume that is opened, in voxels of one time point; more would take minutes to unpack."""

_HEADER = 540  # bytes of a NIfTI-2 header, the longer of the two
_AIR = -200  # Hounsfield units; fat lies near -100, air near -1000, and hardly any slice of a CT has no air


def recognises(content: bytes) -> bool:
    """Whether a file is NIfTI by the magic in its header, packed with gzip or not."""
    return _magic(_head(content)) is not None


def unpacked(content: bytes, most: int) -> bytes:
    """Unpack a volume that is packed with gzip, so that one slice after another is read without doing it again.

    Args:
        content: of the file.
        most: bytes; a larger volume, and a file that is none, comes back as it was.

    Raises:
        ImageError: when it is broken.
    """
    if content[:2] != b"\x1f\x8b" or not recognises(content):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            plain = packed.read(most + 1)
    except (OSError, EOFError, zlib.error):
        raise ImageError("The picture is a broken or cut off NIfTI volume: it cannot be unpacked.") from None
    return plain if len(plain) <= most else content


def read(content: bytes, name: str, view: View, max_pixels: int) -> Reading:
    """Decode one slice of a volume; of several volumes (time points) the first is taken.

    The axes nearest to the patient's are taken, without resampling; one voxel is one pixel. Axial and coronal slices
    show the patient's left on the right; up is anterior on axial slices and superior on the others; sagittal slices
    show the front on the left. Greys are those between the 1st and the 99th percentile of the slice, unless a
    window is asked for.

    Args:
        content: of the file.
        name: what to call it in messages.
        view: ``axis`` (axial by default), ``slice`` (the middle one by default), and ``window``.
        max_pixels: refuse larger slices.

    Returns:
        the slice, in colours where the volume holds them, and its greys before a window showed them.

    Raises:
        ImageError: when the file is broken or too large, or has no such slice.
    """
    if view.frame is not None:
        raise ImageError(f"{name} is a NIfTI volume, which has slices and no frames; write slice={view.frame}.")
    if _magic(_head(content)) == "pair":
        raise ImageError(f"{name} is the header of a NIfTI pair (.hdr and .img); save it as one .nii file.")
    try:
        import nibabel
    except ImportError:
        raise ImageError(
            f"{name} is a NIfTI volume; reading it needs nibabel: pip install 'radvqa[medical]'."
        ) from None
    try:
        with no_warnings():
            volume = _opened(nibabel, content)
            _check_length(volume, content, name)
            return _decode(volume, name, view, max_pixels)
    except ImageError:
        raise
    except Exception as error:  # broken headers make the library raise a dozen kinds; its texts may quote the header
        raise ImageError(f"{name} is a broken or cut off NIfTI volume ({type(error).__name__}).") from None


def _head(content: bytes) -> bytes:
    if content[:2] != b"\x1f\x8b":
        return content[:_HEADER]
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content[:65_536], _HEADER)
    except zlib.error:
        return b""


def _magic(head: bytes) -> str | None:
    one, two = head[344:348], head[4:12]
    if one == b"n+1\0" or two == b"n+2\0\r\n\x1a\n":
        return "single"
    return "pair" if one == b"ni1\0" or two == b"ni2\0\r\n\x1a\n" else None


def _opened(nibabel: Any, content: bytes) -> "Nifti1Image":
    kind = nibabel.Nifti2Image if _head(content)[4:7] == b"n+2" else nibabel.Nifti1Image
    stream: Any = io.BytesIO(content)
    if content[:2] == b"\x1f\x8b":
        stream = gzip.GzipFile(fileobj=stream)
    opened: Nifti1Image = kind.from_stream(stream)
    return opened


def _check_length(volume: "Nifti1Image", content: bytes, name: str) -> None:
    """Refuse a volume that is cut off, also behind the slice that is wanted; a packed one shows it in unpacking."""
    needed = volume.dataobj.offset + math.prod(volume.shape) * volume.get_data_dtype().itemsize
    if content[:2] != b"\x1f\x8b" and len(content) < needed:
        raise ImageError(f"{name} is a broken or cut off NIfTI volume: {len(content):,} of {needed:,} bytes are there.")


def _decode(volume: "Nifti1Image", name: str, view: View, max_pixels: int) -> Reading:
    stored = tuple(int(side) for side in volume.shape)
    sides = (*stored, 1)[:3]
    if len(stored) < 2 or min(stored) < 1 or math.prod(sides) > MAX_VOXELS:
        shown = " × ".join(f"{side:,}" for side in stored) or "no"
        raise ImageError(f"{name} has {shown} voxels; a volume has 2 or 3 axes and at most {MAX_VOXELS:,} voxels.")
    axis = view.axis or "axial"
    across = _ACROSS[axis]
    stored_as, turned = _orientation(volume.affine)
    width, height = (sides[stored_as[other]] for other in range(3) if other != across)
    if width * height > max_pixels:
        raise ImageError(
            f"{name} is {width:,} × {height:,} = {width * height:,} pixels a slice; the limit is {max_pixels:,}. "
            f"Scale it down before use."
        )
    number = sides[stored_as[across]]
    wanted = number // 2 if view.slice is None else view.slice
    if wanted >= number:
        raise ImageError(f"{name} has no {axis} slice {wanted}; its {axis} slices are 0 to {number - 1}.")
    first = number - 1 - wanted if turned[across] else wanted
    place = [slice(first, first + 1) if stored_as[across] == at else slice(None) for at in range(min(3, len(stored)))]
    values = np.asarray(volume.dataobj[(*place, *[0] * (len(stored) - 3))])
    upright = values.reshape((*values.shape, 1)[:3]).transpose(stored_as)
    upright = np.flip(upright, tuple(np.flatnonzero(turned))).take(0, across)
    return _shown(upright[::-1, ::-1].T, name, view, tuple((a, sides[stored_as[at]]) for a, at in _ACROSS.items()))


_ACROSS = {"axial": 2, "coronal": 1, "sagittal": 0}  # of x to the right, y to the front, z up


def _orientation(affine: NDArray[np.float64]) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Return, for x, y and z, which stored axis is nearest to it, and whether that runs against it."""
    from nibabel.orientations import io_orientation

    nearest: NDArray[np.float64] = io_orientation(affine)
    free = [axis for axis in range(3) if axis not in nearest[:, 0]]
    axes = [int(axis) if np.isfinite(axis) else free.pop(0) for axis in nearest[:, 0]]  # of no extent: as stored
    stored_as = tuple(axes.index(axis) for axis in range(3))
    return stored_as, tuple(bool(nearest[at, 1] < 0) for at in stored_as)


def _shown(values: NDArray[Any], name: str, view: View, axes: tuple[tuple[str, int], ...]) -> Reading:
    """Map a slice to greys; a preset is refused where no value is as low as air in a CT."""
    if values.dtype.names:
        if view.window is not None:
            raise ImageError(f"{name} holds colours; a window is for grey values.")
        colours = np.stack([values[channel] for channel in ("R", "G", "B")], axis=-1).astype(np.uint8)
        return Reading(colours, "nifti", axes=axes)
    if np.iscomplexobj(values):
        raise ImageError(f"{name} holds complex numbers; save their magnitude.")
    values = values.astype(np.float64)
    finite = values[np.isfinite(values)]
    ct = bool(finite.size) and bool(finite.min() <= _AIR)
    between = percentiles(values)
    window = PRESETS.get(view.window) if isinstance(view.window, str) else view.window
    if view.window in PRESETS and not ct:
        raise ImageError(
            f"{name} does not look like CT in Hounsfield units, for which the window {view.window!r} is made: "
            f"no value of the slice is below {_AIR}; give centre and width, for instance window=40,400."
        )
    if isinstance(window, Window):
        shown = window.greys(values)
    else:
        shown = stretched(values, between) if between else np.zeros(values.shape, np.uint8)
    return Reading(shown, "nifti", values, reaching(between), ct=ct, axes=axes)
