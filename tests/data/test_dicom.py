"""DICOM: what is shown is what the standard says, and what is wrong is said without the patient's name."""

import io
import logging
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from hospital_files import NUMBER, PATIENT, dicom, item, packaged
from miniature import python
from radvqa.data import image
from radvqa.data.medical.window import PRESETS, Function, Window, by_percentiles
from radvqa.errors import ImageError


def shown(content: bytes, tmp_path: Path, fragment: str = "") -> NDArray[np.uint8]:
    path = tmp_path / "scan.dcm"
    path.write_bytes(content)
    return image.decode(path.with_name(f"scan.dcm{fragment}"))


# windows


def by_the_standard(x: float, window: Window) -> float:
    """PS3.3 C.11.2.1.2 and C.11.2.1.3, as printed there, with ymin = 0 and ymax = 255."""
    c, w = window.centre, window.width
    if window.function == "SIGMOID":
        power = -4 * (x - c) / w
        return 255 / (1 + np.exp(power)) if power < 700 else 0.0
    if window.function == "LINEAR_EXACT":
        if x <= c - w / 2:
            return 0
        return 255 if x > c + w / 2 else ((x - c) / w + 0.5) * 255
    if x <= c - 0.5 - (w - 1) / 2:
        return 0
    return 255 if x > c - 0.5 + (w - 1) / 2 else ((x - (c - 0.5)) / (w - 1) + 0.5) * 255


FUNCTIONS: tuple[Function, ...] = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
WINDOWS = st.builds(Window, st.integers(-3000, 3000), st.integers(1, 6000), st.sampled_from(FUNCTIONS))


@given(WINDOWS, st.lists(st.integers(-40_000, 70_000), min_size=1, max_size=50))
def test_a_window_is_the_formula_of_the_standard(window: Window, values: list[int]) -> None:
    expected = [by_the_standard(x, window) for x in values]
    assert np.abs(window.greys(np.array(values)) - expected).max() <= 0.5 + 1e-9


@given(WINDOWS, st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_a_window_never_turns_brighter_into_darker_and_is_clipped(window: Window, values: list[float]) -> None:
    greys = window.greys(np.array(sorted(values))).astype(int)
    assert (np.diff(greys) >= 0).all()
    below, above = window.greys(np.array([-1e9, 1e9]))
    assert (below, above) == (0, 255)


def test_what_is_not_a_number_is_black() -> None:
    values = np.array([np.nan, np.inf, -np.inf, 0.0])
    assert Window(0, 101).greys(values).tolist() == [0, 255, 0, 129]  # ((0 + 0.5) / 100 + 0.5) × 255 = 128.8
    assert by_percentiles(values).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(("centre", "width"), [(0, 0.5), (0, -4), (np.nan, 4), (0, np.inf)])
def test_a_senseless_window_is_refused(centre: float, width: float) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Window(centre, width)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=60))
def test_percentiles_never_turn_brighter_into_darker(values: list[float]) -> None:
    finite = np.array(sorted(v for v in values if np.isfinite(v)))
    greys = by_percentiles(np.array([*finite, *[v for v in values if not np.isfinite(v)]]))
    assert (np.diff(greys[: len(finite)].astype(int)) >= 0).all()


# files that pydicom holds, against pydicom's own look-ups


def of_pydicom(path: Path) -> NDArray[np.float64]:
    """What pydicom shows, brought from its range of output, which follows the stored bits, to 0 … 255."""
    dataset = pydicom.dcmread(path)
    stored = dataset.pixel_array
    bits = dataset.BitsStored
    ends = np.array([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] if dataset.PixelRepresentation else [0, 2**bits - 1])
    low, high = ends * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
    greys = (apply_voi_lut(apply_modality_lut(stored, dataset), dataset) - low) / (high - low) * 255
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        greys = 255 - greys
    if "PixelPaddingValue" in dataset:
        greys[stored == dataset.PixelPaddingValue] = 0
    return np.asarray(greys, np.float64)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom.*")
@pytest.mark.parametrize(
    "name",
    [
        "MR_small.dcm",  # signed, a window
        "MR_small_bigendian.dcm",
        "MR_small_implicit.dcm",
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_padded.dcm",
        "693_J2KI.dcm",  # CT with an intercept, padding and JPEG 2000 of 14 bits
        "J2K_pixelrep_mismatch.dcm",  # three windows
        "examples_overlay.dcm",  # two windows, 12 of 16 bits
        "dicomdirtests/77654033/CR1/6154",  # MONOCHROME1 with a fractional slope
        "dicomdirtests/98892001/CT5N/2062",
        "dicomdirtests/98892003/MR700/4467",
    ],
)
def test_windows_of_real_files_are_those_of_pydicom(name: str) -> None:
    path = packaged(name) if "/" not in name else packaged("MR_small.dcm").parent / name
    decoded = image.decode(path)
    assert decoded.ndim == 2
    assert np.abs(decoded - of_pydicom(path)).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("name", ["SC_rgb_rle.dcm", "SC_ybr_full_422_uncompressed.dcm", "SC_rgb_jpeg_dcmtk.dcm"])
def test_colours_are_rgb_whatever_the_file_holds(name: str) -> None:
    decoded = image.decode(packaged(name))
    assert decoded.shape == (100, 100, 3)
    # bands of ten rows: red, pale red, green …; eight bits of YBR know a colour only so exactly
    bands = [[255, 0, 0], [255, 128, 128], [0, 255, 0], [128, 255, 128], [0, 0, 255], [128, 128, 255], [0, 0, 0]]
    assert np.abs(decoded[5:75:10, 50].astype(int) - bands).max() <= (0 if name == "SC_rgb_rle.dcm" else 5)


def test_sixteen_bit_and_thirty_two_bit_colours_are_those_of_eight() -> None:
    eight = image.decode(packaged("SC_rgb_rle.dcm")).astype(int)
    assert np.abs(image.decode(packaged("SC_rgb_rle_16bit.dcm")) - eight).max() <= 1
    assert np.abs(image.decode(packaged("SC_rgb_rle_32bit.dcm")) - eight).max() <= 1


def test_a_palette_becomes_its_colours() -> None:
    path = packaged("examples_palette.dcm")
    dataset = pydicom.dcmread(path)
    tables = [getattr(dataset, f"{colour}PaletteColorLookupTableData") for colour in ("Red", "Green", "Blue")]
    number = dataset.RedPaletteColorLookupTableDescriptor[0]
    by_hand = np.stack([np.frombuffer(t, "<u2", number)[dataset.pixel_array] >> 8 for t in tables], axis=-1)
    assert np.array_equal(image.decode(path), by_hand)


def test_frames_are_read_one_by_one_and_counted_from_1() -> None:
    path = packaged("SC_rgb_rle_2frame.dcm")
    frames = pydicom.dcmread(path).pixel_array
    assert not np.array_equal(frames[0], frames[1])
    assert np.array_equal(image.decode(path), frames[0])
    assert np.array_equal(image.decode(path.with_name(f"{path.name}#frame=1")), frames[0])
    assert np.array_equal(image.decode(path.with_name(f"{path.name}#frame=2")), frames[1])
    for wrong in (0, 3):
        with pytest.raises(ImageError, match=rf"has no frame {wrong}; its frames are 1 to 2\."):
            image.decode(path.with_name(f"{path.name}#frame={wrong}"))


def test_a_frame_of_a_compressed_loop_is_that_frame() -> None:
    path = packaged("examples_ybr_color.dcm")
    thirty = pydicom.dcmread(path).pixel_array
    for number in (1, 17, 30):
        assert np.array_equal(image.decode(path.with_name(f"{path.name}#frame={number}")), thirty[number - 1])


def test_bits_are_black_and_white() -> None:
    path = packaged("liver_1frame.dcm")
    assert np.array_equal(image.decode(path), pydicom.dcmread(path).pixel_array * np.uint8(255))


def test_without_a_window_the_percentiles_of_what_is_no_padding_decide() -> None:
    path = packaged("CT_small.dcm")
    dataset = pydicom.dcmread(path)
    assert "WindowWidth" not in dataset
    values = dataset.pixel_array.astype(float)  # percentiles are the same before and after slope 1 and intercept −1024
    counted = values[values != dataset.PixelPaddingValue]
    low, high = np.percentile(counted, [1, 99])
    expected = np.where(values == dataset.PixelPaddingValue, 0, np.clip((values - low) / (high - low), 0, 1) * 255)
    assert np.abs(image.decode(path) - expected).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_presets_are_in_hounsfield_units(preset: str) -> None:
    path = packaged("CT_small.dcm")
    dataset = pydicom.dcmread(path)
    units = dataset.pixel_array.astype(float) - 1024
    greys = image.decode(path.with_name(f"{path.name}#window={preset}"))
    expected = [by_the_standard(x, PRESETS[preset]) for x in units.ravel()]
    assert np.abs(greys.ravel() - expected).max() <= 0.5 + 1e-9


# files made here


def test_centre_and_width_may_be_given(tmp_path: Path) -> None:
    content = dicom(np.array([[1024, 1064, 1263]], np.uint16), RescaleSlope=1, RescaleIntercept=-1024)
    # 40 ± 200: ((0 − 39.5) / 399 + 0.5) × 255 = 102.3; ((40 − 39.5) / 399 + 0.5) × 255 = 127.8; 239 is white
    assert shown(content, tmp_path, "#window=40,400").tolist() == [[102, 128, 255]]


def test_a_preset_is_for_ct_only(tmp_path: Path) -> None:
    content = dicom(np.zeros((2, 2), np.int16), Modality="MR")
    with pytest.raises(ImageError, match=r"is no CT in Hounsfield units.*window=40,400"):
        shown(content, tmp_path, "#window=lung")
    assert shown(content, tmp_path, "#window=0,3").tolist() == [[191, 191]] * 2  # ((0 + 0.5) / 2 + 0.5) × 255


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ({}, [0, 40, 201, 255]),  # ((23 − 29.5) / 19 + 0.5) × 255 = 40.3; ((35 − 29.5) / 19 + 0.5) × 255 = 201.3
        ({"VOILUTFunction": "LINEAR"}, [0, 40, 201, 255]),
        ({"VOILUTFunction": "LINEAR_EXACT"}, [0, 38, 191, 255]),  # (−7 / 20 + 0.5) × 255 = 38.3; 0.75 × 255 = 191.3
        ({"VOILUTFunction": "SIGMOID"}, [5, 50, 186, 250]),  # 255 / (1 + e⁴), 255 / (1 + e^1.4), 255 / (1 + e⁻¹), …
    ],
)
def test_the_headers_function_is_followed(tmp_path: Path, function: dict[str, str], expected: list[int]) -> None:
    content = dicom(np.array([[10, 23, 35, 50]], np.int16), WindowCenter=30, WindowWidth=20, **function)
    assert shown(content, tmp_path).tolist() == [expected]


def test_a_window_without_width_counts_as_none(tmp_path: Path) -> None:
    values = np.arange(256, dtype=np.int16).reshape(16, 16)
    assert np.array_equal(
        shown(dicom(values, WindowCenter=30, WindowWidth=0), tmp_path), shown(dicom(values), tmp_path)
    )


def test_monochrome1_is_inverted_after_the_window(tmp_path: Path) -> None:
    values = np.array([[10, 23, 35, 50]], np.uint16)
    content = dicom(values, PhotometricInterpretation="MONOCHROME1", WindowCenter=30, WindowWidth=20)
    assert shown(content, tmp_path).tolist() == [[255, 215, 54, 0]]


def test_eight_bits_without_a_window_stay(tmp_path: Path) -> None:
    values = np.array([[60, 70], [80, 90]], np.uint8)
    assert np.array_equal(shown(dicom(values), tmp_path), values)
    assert shown(dicom(values), tmp_path, "#window=percentiles").tolist() != values.tolist()


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint16])
@pytest.mark.parametrize("bits_unused", [0, 4])
def test_signed_and_unsigned_values_of_any_depth(tmp_path: Path, kind: type[Any], bits_unused: int) -> None:
    stored = 8 * np.dtype(kind).itemsize - bits_unused
    low = -(1 << (stored - 1)) if np.issubdtype(kind, np.signedinteger) else 0
    high = low + (1 << stored) - 1
    values = np.array([[low, (low + high) // 2, high, low + 3]], kind)
    # a window over the whole range: LINEAR maps its first and last value to 0 and 255
    content = dicom(values, BitsStored=stored, WindowCenter=(low + high + 1) / 2, WindowWidth=high - low + 1)
    expected = (values.astype(float) - low) / (high - low) * 255
    assert np.abs(shown(content, tmp_path) - expected).max() <= 0.5 + 1e-9


@pytest.mark.parametrize(("padding", "vr"), [(-2000, "SS"), (63536, "US")])
def test_padding_is_black_and_not_counted(tmp_path: Path, padding: int, vr: str) -> None:
    values = np.full((10, 10), -2000, np.int16)
    values[3:6, 3:6] = np.arange(9).reshape(3, 3)
    element = pydicom.DataElement("PixelPaddingValue", vr, padding)
    decoded = shown(dicom(values, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=element), tmp_path)
    assert (decoded[values == -2000] == 0).all()
    assert decoded[3, 3] == 255
    assert decoded[5, 5] == 0
    assert decoded[4, 4] in (127, 128)


def test_a_range_of_padding(tmp_path: Path) -> None:
    values = np.array([[0, 1, 2, 3, 4, 50, 60]], np.uint16)
    window: dict[str, Any] = {"WindowCenter": 0, "WindowWidth": 1}  # everything above is white
    assert shown(dicom(values, PixelPaddingValue=3, PixelPaddingRangeLimit=1, **window), tmp_path).tolist() == [
        [255, 0, 0, 0, 255, 255, 255]
    ]


def test_tables_map_values_and_hold_at_their_ends(tmp_path: Path) -> None:
    modality = item(LUTDescriptor=[3, 10, 16], ModalityLUTType="HU", LUTData=[5, 7, 6])
    voi = item(LUTDescriptor=[4, 5, 8], LUTData=[10, 20, 30, 250])
    modality["LUTDescriptor"].VR = modality["LUTData"].VR = voi["LUTDescriptor"].VR = voi["LUTData"].VR = "US"
    values = np.array([[0, 10, 11, 12, 99]], np.uint16)
    # the first table gives 5, 5, 7, 6, 6 and the second the entries 0, 0, 2, 1, 1; it goes before a window
    content = dicom(
        values, ModalityLUTSequence=[modality], VOILUTSequence=[voi], WindowCenter=1, WindowWidth=2, BitsStored=12
    )
    assert shown(content, tmp_path).tolist() == [[10, 10, 30, 20, 20]]


def test_a_table_of_twelve_bits_is_brought_to_eight(tmp_path: Path) -> None:
    voi = item(LUTDescriptor=[3, -1, 12], LUTData=struct.pack("<3H", 0, 2048, 4095))
    voi["LUTDescriptor"].VR, voi["LUTData"].VR = "SS", "OW"
    content = dicom(np.array([[-7, -1, 0, 1, 2]], np.int16), VOILUTSequence=[voi])
    assert shown(content, tmp_path).tolist() == [[0, 0, 128, 255, 255]]  # 2048 × 255 / 4095 = 127.5


def test_functional_groups_of_a_frame_go_before_those_of_all(tmp_path: Path) -> None:
    def group(centre: float, **macros: Any) -> pydicom.Dataset:
        return item(FrameVOILUTSequence=[item(WindowCenter=centre, WindowWidth=1)], **macros)

    rescale = item(RescaleSlope=10, RescaleIntercept=-5, RescaleType="HU")
    content = dicom(
        np.array([[[1, 2, 3]], [[1, 2, 3]], [[1, 2, 3]]], np.uint16),  # −5 + 10 x: 5, 15, 25
        SharedFunctionalGroupsSequence=[group(20, PixelValueTransformationSequence=[rescale])],
        PerFrameFunctionalGroupsSequence=[group(10), item(), group(30)],
    )
    assert shown(content, tmp_path, "#frame=1").tolist() == [[0, 255, 255]]
    assert shown(content, tmp_path, "#frame=2").tolist() == [[0, 0, 255]]
    assert shown(content, tmp_path, "#frame=3").tolist() == [[0, 0, 0]]


# recognised by content


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_the_preamble_tells_whatever_the_name_is(tmp_path: Path, syntax: str) -> None:
    path = tmp_path / "IM0001.png"
    values = np.array([[1, 2], [3, 4]], np.uint8)
    path.write_bytes(dicom(values, syntax=syntax))
    assert np.array_equal(image.decode(path), values)
    assert np.array_equal(image.decode(path.read_bytes()), values)


def test_without_a_preamble_the_suffix_tells(tmp_path: Path) -> None:
    values = np.array([[1, 2], [3, 4]], np.uint8)
    for syntax in (None, ImplicitVRLittleEndian):
        content = dicom(values, **({} if syntax is None else {"syntax": syntax}))
        meta_length = struct.unpack("<I", content[140:144])[0]
        bare = content[144 + meta_length :]
        assert np.array_equal(shown(bare, tmp_path), values)
        assert np.array_equal(image.decode(bare, name="upload.dcm"), values)
        with pytest.raises(ImageError, match=r"not a picture in a known format .*DICOM"):
            image.decode(bare, name="upload.bin")
    assert np.array_equal(shown(image.encode_png(values), tmp_path), values), "a PNG whose name lies"


@pytest.mark.parametrize("name", ["rtplan.dcm", "test-SR.dcm", "rtstruct.dcm", "waveform_ecg.dcm"])
def test_a_file_without_pixels_is_refused(name: str) -> None:
    with pytest.raises(ImageError, match="without pixels, such as a report"):
        image.decode(packaged(name))


# compressed


@pytest.mark.parametrize(
    ("name", "as_in"),
    [
        ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
        ("SC_rgb_jpeg_gdcm.dcm", "SC_rgb_rle.dcm"),  # JPEG lossless
    ],
)
def test_lossless_syntaxes_are_read_with_the_packages_of_the_extra(name: str, as_in: str) -> None:
    assert np.array_equal(image.decode(packaged(name)), image.decode(packaged(as_in)))


def test_near_lossless_jpeg_ls_and_odd_jpeg_2000_are_read_with_the_packages_of_the_extra() -> None:
    assert image.decode(packaged("JPEGLSNearLossless_16.dcm")).shape == (50, 10)
    assert image.decode(packaged("GDCMJ2K_TextGBR.dcm")).shape == (400, 400, 3)


WITHOUT = """
import sys
from pathlib import Path
for module in ("gdcm", "pylibjpeg", "openjpeg", "libjpeg", "jpeg_ls"):
    sys.modules[module] = None
from radvqa.data import image
from radvqa.errors import ImageError
for path in sys.argv[1:]:
    try:
        print(image.decode(Path(path)).shape)
    except ImageError as error:
        print(error)
"""


def test_where_no_decoder_is_installed_a_sentence_names_the_syntax_and_the_package() -> None:
    names = ["MR_small_jpeg_ls_lossless.dcm", "SC_rgb_jpeg_gdcm.dcm", "JPGExtended.dcm", "JPEG2000.dcm"]
    done = python(WITHOUT, *map(packaged, names))
    assert (done.returncode, done.stderr) == (0, "")
    lossless_ls, lossless, extended, jpeg_2000 = done.stdout.splitlines()
    assert "JPEG-LS Lossless" in lossless_ls
    assert "1.2.840.10008.1.2.4.80" in lossless_ls
    assert "python-gdcm: pip install 'radvqa[medical]'" in lossless_ls
    assert "1.2.840.10008.1.2.4.70" in lossless
    assert "1.2.840.10008.1.2.4.51" in extended
    assert "pylibjpeg-libjpeg" in extended
    assert jpeg_2000 == "(1024, 256)", "Pillow reads it"


@pytest.mark.parametrize(
    ("syntax", "said"),
    [
        ("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile"),
        ("1.2.840.999999999", "syntax that is not of DICOM"),
    ],
)
def test_a_video_and_an_unknown_syntax_are_refused(syntax: str, said: str) -> None:
    dataset = pydicom.dcmread(packaged("JPEG2000.dcm"))
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    buffer = io.BytesIO()
    dataset.save_as(buffer, implicit_vr=False, little_endian=True)
    with pytest.raises(ImageError, match=said):
        image.decode(buffer.getvalue())


def test_pydicom_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    content = dicom(np.zeros((2, 2), np.uint8))
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImageError, match=r"is a DICOM file; reading it needs pydicom: pip install 'radvqa\[medical\]'"):
        image.decode(content)


# broken


def test_cut_off_pixels_are_refused() -> None:
    with pytest.raises(ImageError, match=r"cut off: 8,130 bytes of pixels are there of the 8,192"):
        image.decode(packaged("MR_truncated.dcm"))


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"Rows": 60_000, "Columns": 60_000}, r"60,000 × 60,000 = 3,600,000,000 pixels; the limit is 80,000,000"),
        ({"NumberOfFrames": 2_000_000_000}, r"4 bytes of pixels are there of the 8,000,000,000"),
        ({"NumberOfFrames": -3}, "attribute NumberOfFrames is missing or is not a number above 0"),
        ({"Rows": 0}, "attribute Rows is missing"),
        ({"BitsAllocated": 8, "BitsStored": 16}, "broken"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "contradict each other"),
    ],
)
def test_the_header_is_held_against_the_file(tmp_path: Path, attributes: dict[str, Any], message: str) -> None:
    with pytest.raises(ImageError, match=message):
        shown(dicom(np.zeros((2, 2), np.uint8), **attributes), tmp_path)


def test_a_compressed_frame_of_another_size_than_the_headers_is_refused(tmp_path: Path) -> None:
    content = packaged("SC_rgb_small_odd_jpeg.dcm").read_bytes()
    start = content.index(b"\xff\xc0") + 5  # start of frame: length, precision, rows, columns
    assert content[start : start + 4] == b"\0\3\0\3"
    huge = content[:start] + b"\xff\xf0\xff\xf0" + content[start + 4 :]
    with pytest.raises(ImageError, match="compressed frame is 65,520 × 65,520 pixels, its header says 3 × 3"):
        shown(huge, tmp_path)


def test_a_deflated_bomb_is_refused_and_an_honest_file_read(tmp_path: Path) -> None:
    assert image.decode(packaged("image_dfl.dcm")).shape == (512, 512)
    content = dicom(np.zeros((2, 2), np.uint8), syntax=DeflatedExplicitVRLittleEndian)
    end = 144 + struct.unpack("<I", content[140:144])[0]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    million = bytes(1_000_000)
    bomb = content[:end] + b"".join(packer.compress(million) for _ in range(60)) + packer.flush()
    assert len(bomb) < 200_000
    with pytest.raises(ImageError, match="unpacks to more than"):
        image.decode(bomb, max_pixels=1_000_000)


def test_errors_and_logs_name_no_patient(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    whole = dicom(np.zeros((4, 4), np.int16), RescaleSlope=1, RescaleIntercept=0, WindowCenter=1, WindowWidth=2)
    broken = [whole[:end] for end in range(140, len(whole), 7)]
    broken += [whole.replace(b"IS", b"ZZ").replace(b"DS", b"UI"), whole.replace(b"1 ", b"x ")]
    broken += [whole.replace(b"US\x02\0", b"US" + struct.pack("<H", size)) for size in (0, 1, 9, 60_000)]
    said = []
    for content in broken:
        try:
            shown(content, tmp_path)
        except ImageError as error:
            said.append(f"{error} {error.__cause__}")
    assert len(said) > 50
    for name in (*PATIENT.split("^"), NUMBER):
        assert name not in " ".join(said)
        assert name not in caplog.text


SOURCES = [
    dicom(np.arange(64, dtype=np.int16).reshape(8, 8), WindowCenter=30, WindowWidth=20, PixelPaddingValue=3),
    packaged("SC_rgb_small_odd_jpeg.dcm").read_bytes(),
    packaged("MR_small_RLE.dcm").read_bytes(),
    packaged("SC_rgb_small_odd_big_endian.dcm").read_bytes(),
]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_broken_file_is_refused_and_raises_nothing_else(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SOURCES)))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(132, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(200, len(content))) :]
    try:
        pixels = image.decode(bytes(content), max_pixels=1_000_000)
    except ImageError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.ndim in (2, 3)
