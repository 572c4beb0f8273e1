"""DICOM: one frame as a picture, as the header says that it is to be shown.

Only the attributes that decide about pixels are read: what names a patient is not parsed, and cannot reach a message.
Source: DICOM PS3.3 C.7.6.3 (image pixel), C.11.1 (modality LUT), C.11.2 (VOI LUT), C.7.6.16 (functional groups).
"""

import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radvqa.data.medical.address import View
from radvqa.data.medical.reading import AS_STORED, Reading
from radvqa.data.medical.window import PERCENTILES, PRESETS, Window, percentiles, reaching, stretched
from radvqa.data.quiet import no_warnings
from radvqa.errors import ImageError

if TYPE_CHECKING:
    from pydicom import Dataset

_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_PALETTE = [
    f"{kind}{colour}PaletteColorLookupTable{part}"
    for colour in ("Red", "Green", "Blue")
    for kind, part in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
]
_ATTRIBUTES = [
    *_PIXELS,
    *_PALETTE,
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "Modality"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "ExtendedOffsetTable", "ExtendedOffsetTableLengths"),
    *("ModalityLUTSequence", "RescaleSlope", "RescaleIntercept", "RescaleType"),
    *("VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
]

_GDCM = ("gdcm", "python-gdcm: pip install 'radvqa[medical]'")
_OPENJPEG = ("openjpeg", "pylibjpeg-openjpeg: pip install 'radvqa[medical]'")
_LIBJPEG = ("libjpeg", "pylibjpeg-libjpeg: pip install pylibjpeg pylibjpeg-libjpeg")
_NEEDED = {  # transfer syntax: the module that reads all of it, and how to get that
    "1.2.840.10008.1.2.4.51": _LIBJPEG,  # Pillow and GDCM read it at 8 bits, not at 12
    "1.2.840.10008.1.2.4.57": _GDCM,
    "1.2.840.10008.1.2.4.70": _GDCM,
    "1.2.840.10008.1.2.4.80": _GDCM,
    "1.2.840.10008.1.2.4.81": _GDCM,
    "1.2.840.10008.1.2.4.90": _OPENJPEG,  # Pillow reads most of it
    "1.2.840.10008.1.2.4.91": _OPENJPEG,
    "1.2.840.10008.1.2.4.201": _OPENJPEG,
    "1.2.840.10008.1.2.4.202": _OPENJPEG,
    "1.2.840.10008.1.2.4.203": _OPENJPEG,
}
_DEFLATED = "1.2.840.10008.1.2.1.99"


def recognises(content: bytes, suffix: str) -> bool:
    """Whether a file is DICOM: by ``DICM`` after its preamble, or by its suffix and first group where both lack.

    Args:
        content: of the file.
        suffix: of its name, for instance ``.dcm``.
    """
    if content[128:132] == b"DICM":
        return True
    return suffix.lower() in (".dcm", ".dicom") and content[:2] in (b"\2\0", b"\x08\0", b"\0\x08")


def read(content: bytes, name: str, view: View, max_pixels: int) -> Reading:
    """Decode one frame.

    Grey values go through the modality LUT (table, or slope and intercept) and the VOI LUT (table, else the first
    window, else the 1st to the 99th percentile; 8-bit values without any of these stay); MONOCHROME1 is inverted;
    padding is black. Colours come out as RGB whatever the file holds.

    Args:
        content: of the file.
        name: what to call it in messages.
        view: ``frame``, the first by default, and ``window`` instead of the header's: a preset for CT in Hounsfield
            units, ``percentiles``, or centre and width.
        max_pixels: refuse larger frames.

    Returns:
        the frame, and its greys before a window showed them.

    Raises:
        ImageError: when the file has no pixels or not that frame, is broken, cut off or too large, or is compressed
            in a way that no installed package reads.
    """
    lost = next((key for key in view.asked if key in ("slice", "axis")), None)
    if lost:
        raise ImageError(f"{name} is a DICOM file, which has frames and no {lost}; write for instance frame=1.")
    try:
        import pydicom
    except ImportError:
        raise ImageError(f"{name} is a DICOM file; reading it needs pydicom: pip install 'radvqa[medical]'.") from None
    with no_warnings():
        try:
            _check_inflated_size(content, name, 4 * max_pixels + (1 << 20))
            dataset = pydicom.dcmread(io.BytesIO(content), force=True, specific_tags=list(_ATTRIBUTES))
            _name_syntax(dataset)
            frame = _check_header(dataset, name, view, max_pixels)
        except ImageError:
            raise
        except Exception as error:  # the library raises a dozen kinds, and its texts may quote the header
            raise ImageError(
                f"{name} is a broken DICOM file: its header cannot be read ({type(error).__name__})."
            ) from None
        stored = _pixels(dataset, frame, name)
        try:
            return _shown(dataset, stored, frame, name, view)
        except ImageError:
            raise
        except Exception as error:
            raise ImageError(
                f"{name} is a broken DICOM file: the attributes of its greys or colours contradict each other "
                f"({type(error).__name__})."
            ) from None


def _check_inflated_size(content: bytes, name: str, most: int) -> None:
    """Refuse a deflated file that would fill the memory, before the library inflates it."""
    at, deflated = 132, False
    while content[128:132] == b"DICM" and content[at : at + 2] == b"\2\0":  # the meta group is explicit little endian
        long = content[at + 4 : at + 6] in (b"OB", b"OW", b"SQ", b"UN", b"UT", b"UC", b"UR")
        begin = at + (12 if long else 8)
        length = int.from_bytes(content[begin - (4 if long else 2) : begin], "little")
        if content[at + 2 : at + 4] == b"\x10\0":
            deflated = content[begin : begin + length].rstrip(b"\0 ") == _DEFLATED.encode()
        at = begin + length
    if not deflated:
        return
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    rest, size = content[at:], 0
    while rest and not inflating.eof:
        size += len(inflating.decompress(rest, 1 << 20))
        rest = inflating.unconsumed_tail
        if size > most:
            raise ImageError(f"{name} unpacks to more than {most:,} bytes, the limit for a deflated DICOM file.")


def _name_syntax(dataset: "Dataset") -> None:
    """Write down the transfer syntax of a file without meta information, as its first element was read."""
    from pydicom import uid
    from pydicom.dataset import FileMetaDataset

    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        explicit = uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian if implicit else explicit


def _check_header(dataset: "Dataset", name: str, view: View, max_pixels: int) -> int:
    """Hold the header against the limit and the bytes that are there, before any pixel is decoded.

    Returns:
        the index of the frame that is wanted.
    """
    from pydicom.pixels.utils import get_expected_length
    from pydicom.uid import UncompressedTransferSyntaxes

    kind = next((keyword for keyword in _PIXELS if keyword in dataset), None)
    if not kind:
        raise ImageError(f"{name} is a DICOM file without pixels, such as a report, a plan or a directory.")
    rows, columns = _count(dataset, "Rows", name), _count(dataset, "Columns", name)
    frames = _count(dataset, "NumberOfFrames", name) if dataset.get("NumberOfFrames") else 1
    if rows * columns > max_pixels:
        raise ImageError(
            f"{name} is {columns:,} × {rows:,} = {rows * columns:,} pixels; the limit is {max_pixels:,}. "
            f"Scale it down before use."
        )
    wanted = 1 if view.frame is None else view.frame
    if not 1 <= wanted <= frames:
        raise ImageError(f"{name} has no frame {wanted}; its frames are 1 to {frames}.")
    if dataset.file_meta.TransferSyntaxUID in UncompressedTransferSyntaxes:
        there, expected = len(dataset[kind].value or b""), get_expected_length(dataset, unit="bytes")
        if there < expected:
            raise ImageError(
                f"{name} is broken or cut off: {there:,} bytes of pixels are there of the {expected:,} that Rows, "
                f"Columns, Number of Frames and Bits Allocated ask for."
            )
    return wanted - 1


def _count(dataset: "Dataset", keyword: str, name: str) -> int:
    try:
        number = int(dataset.get(keyword))
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise ImageError(
            f"{name} is a broken DICOM file: the attribute {keyword} is missing or is not a number above 0."
        )
    return number


def _pixels(dataset: "Dataset", frame: int, name: str) -> NDArray[Any]:
    """Return the stored values of one frame, ``(rows, columns)`` or RGB ``(rows, columns, 3)``."""
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.pixels.utils import pixel_array

    syntax = dataset.file_meta.TransferSyntaxUID
    title = f"{syntax.name} ({syntax})" if syntax.name != syntax else "a transfer syntax that is not of DICOM"
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise ImageError(
            f"{name} is compressed as {title}, which is not read here; export it uncompressed or as single pictures."
        ) from None
    module, how = _NEEDED.get(syntax, ("", "another decoder of pydicom"))
    if not decoder.is_available:
        raise ImageError(f"{name} is compressed as {title}; reading it needs {how}.")
    try:
        _check_codestream(dataset, frame, name)
        return np.asarray(pixel_array(dataset, index=frame))
    except ImageError:
        raise
    except Exception as error:
        if module and not _imports(module):
            raise ImageError(
                f"{name} is compressed as {title}; what is installed cannot decode it: it is broken, or needs {how}."
            ) from None
        raise ImageError(
            f"{name} is broken or cut off: the pixels of frame {frame + 1}, {title}, cannot be decoded "
            f"({type(error).__name__})."
        ) from None


def _imports(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def _check_codestream(dataset: "Dataset", frame: int, name: str) -> None:
    """Refuse a compressed frame that is of another size than the header says: it might fill the memory."""
    from pydicom.encaps import get_frame

    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    number = int(dataset.get("NumberOfFrames") or 1)
    offsets = None
    if "ExtendedOffsetTable" in dataset:
        offsets = dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths
    size = _size_of_codestream(get_frame(dataset.PixelData, frame, number_of_frames=number, extended_offsets=offsets))
    if size and size != (dataset.Rows, dataset.Columns):
        raise ImageError(
            f"{name} is broken: its compressed frame is {size[1]:,} × {size[0]:,} pixels, its header says "
            f"{dataset.Columns:,} × {dataset.Rows:,}."
        )


def _size_of_codestream(frame: bytes) -> tuple[int, int] | None:
    """Return rows and columns of a JPEG, JPEG-LS or JPEG 2000 code stream; None when it does not say."""
    start = frame.find(b"\xff\x4f\xff\x51")  # JPEG 2000: start of code stream, image and tile size
    if start >= 0 and len(frame) >= start + 24:
        columns, rows, left, top = (int.from_bytes(frame[at : at + 4], "big") for at in range(start + 8, start + 24, 4))
        return rows - top, columns - left
    at = 2
    while frame[:2] == b"\xff\xd8" and at + 9 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):  # start of frame
            return int.from_bytes(frame[at + 5 : at + 7], "big"), int.from_bytes(frame[at + 7 : at + 9], "big")
        at += 1 if marker == 0xFF else 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return None


def _shown(dataset: "Dataset", stored: NDArray[Any], frame: int, name: str, view: View) -> Reading:
    colours = str(dataset.get("PhotometricInterpretation", ""))
    if stored.ndim == 3 or colours == "PALETTE COLOR":
        if view.window is not None:
            raise ImageError(f"{name} holds colours; a window is for grey values.")
        palette = colours == "PALETTE COLOR"
        shown = _palette(dataset, stored) if palette else _eight_bits(stored, int(dataset.BitsStored))
        return Reading(shown, "dicom", frames=_frames(dataset))
    padding, look = _padding(dataset, stored), _Look.of(dataset, frame)
    values = look.table.of(stored) if look.table else stored * look.slope + look.intercept
    default = _default(dataset, look, stored, values)
    between = percentiles(values, ~padding) if default is None or view.window == PERCENTILES else None
    greys = _greys(look, values, default, between, name, view)
    inverted = colours == "MONOCHROME1"
    return Reading(
        np.where(padding, np.uint8(0), 255 - greys if inverted else greys),
        "dicom",
        values,
        (default.linear if isinstance(default, Window) else None) or (reaching(between) if default is None else None),
        padding if padding.any() else None,
        inverted,
        "HU" if look.hounsfield and dataset.get("Modality") == "CT" else "",
        look.hounsfield,
        _frames(dataset),
    )


def _palette(dataset: "Dataset", stored: NDArray[Any]) -> NDArray[np.uint8]:
    from pydicom.pixels.processing import apply_color_lut

    colours: NDArray[Any] = apply_color_lut(stored, dataset)
    return colours.astype(np.uint8) if colours.itemsize == 1 else (colours >> 8).astype(np.uint8)


def _eight_bits(values: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    if bits == 8 and values.dtype == np.uint8:
        return values
    return np.round(np.clip(values.astype(np.float64) / (2.0**bits - 1), 0, 1) * 255).astype(np.uint8)


def _padding(dataset: "Dataset", stored: NDArray[Any]) -> NDArray[np.bool_]:
    """Which stored values stand for no image; both ends of the range count."""
    value, limit = dataset.get("PixelPaddingValue"), dataset.get("PixelPaddingRangeLimit")
    if not isinstance(value, int) or not np.issubdtype(stored.dtype, np.integer):
        return np.zeros(stored.shape, np.bool_)
    ends = [value, limit if isinstance(limit, int) else value]
    if np.issubdtype(stored.dtype, np.signedinteger):  # some files write −2000 as 63536
        turn = 1 << (8 * stored.itemsize)
        ends = [end - turn if end >= turn // 2 else end for end in ends]
    return (stored >= min(ends)) & (stored <= max(ends))


def _greys(
    look: "_Look",
    values: NDArray[Any],
    default: "_Table | Window | None",
    between: tuple[float, float] | None,
    name: str,
    view: View,
) -> NDArray[np.uint8]:
    if isinstance(view.window, Window):
        return view.window.greys(values)
    if view.window in PRESETS:
        if not look.hounsfield:
            raise ImageError(
                f"{name} is no CT in Hounsfield units, for which the window {view.window!r} is made; give centre and "
                f"width, for instance window=40,400."
            )
        return PRESETS[view.window].greys(values)
    if default is None or view.window == PERCENTILES:
        return stretched(values, between) if between else np.zeros(values.shape, np.uint8)
    return _eight_bits(default.of(values), default.bits) if isinstance(default, _Table) else default.greys(values)


def _default(dataset: "Dataset", look: "_Look", stored: NDArray[Any], values: NDArray[Any]) -> "_Table | Window | None":
    """What shows the values unless something else is asked for; None for their percentiles."""
    if look.voi or look.window:
        return look.voi or look.window
    eight_bits = stored.dtype == np.uint8 and dataset.BitsStored == 8 and np.array_equal(values, stored)
    return AS_STORED if eight_bits else None


def _frames(dataset: "Dataset") -> int:
    return int(dataset.get("NumberOfFrames") or 1)


@dataclass(frozen=True)
class _Table:
    """A LUT (PS3.3 C.11.1.1, C.11.2.1.1): values below the first entry take the first, above the last the last."""

    first: int
    bits: int
    entries: NDArray[np.float64]

    @classmethod
    def of_item(cls, item: "Dataset", little_endian: bool) -> "_Table":
        number, first, bits = (int(value) for value in item.LUTDescriptor)
        data = item.LUTData
        if isinstance(data, bytes):
            data = np.frombuffer(data, "<u2" if little_endian else ">u2")
        entries = np.atleast_1d(np.asarray(data, np.float64))[: number or 1 << 16]
        if not entries.size or not 1 <= bits <= 16:
            raise ValueError("a table without entries")
        return cls(first, bits, entries)

    def of(self, values: NDArray[Any]) -> NDArray[np.float64]:
        places = np.clip(np.round(values.astype(np.float64)) - self.first, 0, len(self.entries) - 1)
        return self.entries[places.astype(np.intp)]


@dataclass(frozen=True)
class _Look:
    """How the values of one frame are to be shown; ``hounsfield`` unless the file says that they are something else."""

    slope: float
    intercept: float
    hounsfield: bool
    table: _Table | None
    voi: _Table | None
    window: Window | None

    @classmethod
    def of(cls, dataset: "Dataset", frame: int) -> "_Look":
        """Read the functional groups of the frame, then those of all frames, then the file."""
        groups: list[Any] = []
        for keyword, index in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
            if dataset.get(keyword):
                groups.append(dataset[keyword].value[index])

        def first_with(macro: str, keyword: str) -> Any:
            inside = [item for group in groups for item in group.get(macro) or []]
            return next((place for place in (*inside, dataset) if place.get(keyword) is not None), None)

        little = bool(dataset.file_meta.TransferSyntaxUID.is_little_endian)
        rescale = first_with("PixelValueTransformationSequence", "RescaleSlope") or {}
        modality, voi = dataset.get("ModalityLUTSequence"), first_with("FrameVOILUTSequence", "VOILUTSequence")
        return cls(
            slope=float(rescale.get("RescaleSlope", 1)),
            intercept=float(rescale.get("RescaleIntercept") or 0),
            hounsfield=dataset.get("Modality", "CT") == "CT" and str(rescale.get("RescaleType") or "") in ("", "HU"),
            table=_Table.of_item(modality[0], little) if modality else None,
            voi=_Table.of_item(voi.VOILUTSequence[0], little) if voi and voi.VOILUTSequence else None,
            window=_first_window(first_with("FrameVOILUTSequence", "WindowCenter")),
        )


def _first_window(place: Any) -> Window | None:
    """Return the first window that the header offers; None where it is absent or senseless."""
    try:
        centre, width = (
            np.atleast_1d(np.asarray(place[tag].value, float))[0] for tag in ("WindowCenter", "WindowWidth")
        )
        named = str(place.get("VOILUTFunction") or "").strip().upper()
        return Window(
            float(centre),
            float(width),
            "LINEAR_EXACT" if named == "LINEAR_EXACT" else "SIGMOID" if named == "SIGMOID" else "LINEAR",
        )
    except (TypeError, ValueError, KeyError, IndexError):
        return None
