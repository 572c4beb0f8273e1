"""Pictures: every odd file decodes to what it shows, or is refused with its name."""

import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from hospital_files import dicom, nifti
from miniature import python
from radvqa import fingerprint
from radvqa.data import image
from radvqa.data.medical.address import Address, View, parse_address
from radvqa.data.medical.window import Window
from radvqa.data.quiet import no_warnings
from radvqa.data.store import ImageStore, Preprocessing
from radvqa.errors import ImageError
from radvqa.sample import Sample

RED_AND_BLUE = np.array([[[250, 10, 20], [10, 20, 250]]], np.uint8)


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(height: int = 40, width: int = 50, channels: int = 3) -> NDArray[np.uint8]:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def png_of_zeros(width: int, height: int) -> bytes:
    """A real 1-bit PNG, all black: a few hundred kilobytes whatever its size in pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
        )

    row = bytes(1 + (width + 7) // 8)
    packer = zlib.compressobj(9)
    pixels = b"".join([packer.compress(row) for _ in range(height)] + [packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_the_crafted_png_is_a_real_one() -> None:
    assert np.array_equal(image.decode(png_of_zeros(21, 3)), np.zeros((3, 21), np.uint8))


@given(arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_a_grey_png_comes_back_as_it_was(pixels: NDArray[np.uint8]) -> None:
    assert np.array_equal(image.decode(image.encode_png(pixels)), pixels)


@given(arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 8), st.just(3))))
def test_a_colour_png_comes_back_as_it_was(pixels: NDArray[np.uint8]) -> None:
    decoded = image.decode(image.encode_png(pixels))
    if (pixels == pixels[..., :1]).all():
        assert np.array_equal(decoded, pixels[..., 0])
    else:
        assert np.array_equal(decoded, pixels)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.png", b"", "is empty (0 bytes)"),
        ("notes.jpg", b"This is a text, not a picture.", "is not a picture in a known format"),
        ("cut.jpg", encoded(Image.fromarray(noise()), "JPEG")[:900], "is broken or cut off"),
        ("cut.png", encoded(Image.fromarray(noise()))[:900], "is broken or cut off"),
        ("header.png", encoded(Image.fromarray(noise()))[:20], "is not a picture|is broken or cut off"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImageError, match=message.replace("(", r"\(").replace(")", r"\)")) as caught:
        image.decode(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"gone\.png does not exist"):
        image.decode(tmp_path / "gone.png")
    with pytest.raises(ImageError, match="cannot be read"):
        image.decode(tmp_path)


BOMB = """
import resource, sys
from pathlib import Path
from radvqa.data import image
from radvqa.errors import ImageError
image.decode(image.encode_png(image.decode(Path(sys.argv[1]))))  # everything is imported and warm
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    image.decode(Path(sys.argv[2]))
except ImageError as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error)
"""


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (10_000, 8_001)])
def test_a_huge_picture_is_refused_before_its_pixels_are_read(tmp_path: Path, width: int, height: int) -> None:
    small, huge = tmp_path / "small.png", tmp_path / "huge.png"
    small.write_bytes(png_of_zeros(30, 30))
    huge.write_bytes(png_of_zeros(width, height))
    assert huge.stat().st_size < 1_000_000
    done = python(BOMB, small, huge)
    assert done.returncode == 0, done.stderr
    grown, message = done.stdout.split(" ", 1)
    assert "80,000,000" in message
    assert str(huge) in message
    # one byte a pixel would be 78 MiB for the smaller of the two
    assert int(grown) < 16 * 1024, f"{grown} KiB more"


def test_the_limit_is_the_callers() -> None:
    with pytest.raises(ImageError, match=r"the scan is 30 × 30 = 900 pixels; the limit is 899"):
        image.decode(png_of_zeros(30, 30), name="the scan", max_pixels=899)
    assert image.decode(png_of_zeros(30, 30), max_pixels=900).shape == (30, 30)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 4095, 65535], [0, 16, 255]),  # 4095 × 255 / 65535 = 15.93
        ([0, 2048, 4095], [0, 128, 255]),  # 12 bits in use: 2048 × 255 / 4095 = 127.5
        ([0, 4096, 8190], [0, 16, 32]),  # more than 12 bits in use: 15.94 and 31.87
        ([0, 100, 255], [0, 100, 255]),  # 8 bits in a 16-bit file stay
    ],
)
def test_deep_grey_is_scaled_from_the_depth_in_use(values: list[int], expected: list[int]) -> None:
    content = encoded(Image.fromarray(np.array([values], np.uint16)))
    assert image.decode(content).tolist() == [expected]


@given(st.lists(st.integers(0, 65535), min_size=2, max_size=40))
def test_deep_grey_is_never_wrapped(values: list[int]) -> None:
    ramp = sorted(values)
    decoded = image.decode(encoded(Image.fromarray(np.array([ramp], np.uint16))))[0].astype(int)
    assert (np.diff(decoded) >= 0).all()
    assert decoded[0] == 0 or ramp[0] > 0


def test_negative_and_floating_values_are_scaled_by_their_own_range() -> None:
    values = np.array([[-1000.0, 0.0, 1000.0]], np.float32)  # Hounsfield-like
    assert image.decode(encoded(Image.fromarray(values), "TIFF")).tolist() == [[0, 128, 255]]
    flat = np.full((2, 2), -5.0, np.float32)
    assert image.decode(encoded(Image.fromarray(flat), "TIFF")).tolist() == [[0, 0], [0, 0]]


def test_a_palette_becomes_its_colours() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([250, 10, 20, 10, 20, 250])
    picture.putpixel((1, 0), 1)
    assert np.array_equal(image.decode(encoded(picture)), RED_AND_BLUE)


def test_a_transparent_palette_entry_is_black() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([250, 10, 20, 10, 20, 250])
    picture.putpixel((1, 0), 1)
    assert image.decode(encoded(picture, transparency=0)).tolist() == [[[0, 0, 0], [10, 20, 250]]]


def test_transparency_is_laid_on_black() -> None:
    picture = Image.fromarray(np.array([[[200, 100, 50, 128], [9, 9, 99, 255], [255, 255, 255, 0]]], np.uint8))
    # 200, 100 and 50 times 128 / 255 are 100.4, 50.2 and 25.1
    expected = [[[100, 50, 25], [9, 9, 99], [0, 0, 0]]]
    assert np.abs(image.decode(encoded(picture)).astype(int) - expected).max() <= 1


def test_grey_with_alpha_stays_one_channel() -> None:
    picture = Image.fromarray(np.array([[[200, 255], [200, 0], [200, 51]]], np.uint8), "LA")
    assert image.decode(encoded(picture)).tolist() == [[200, 0, 40]]  # 200 × 51 / 255 = 40


def test_one_bit_becomes_black_and_white() -> None:
    picture = Image.fromarray(np.array([[0, 255, 255, 0]], np.uint8)).convert("1")
    assert image.decode(encoded(picture)).tolist() == [[0, 255, 255, 0]]


def test_cmyk_becomes_rgb() -> None:
    picture = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # no cyan, full magenta and yellow: red
    decoded = image.decode(encoded(picture, "JPEG", quality=100))
    assert decoded.shape == (16, 16, 3)
    assert np.abs(decoded.astype(int) - [255, 0, 0]).max() <= 4


def test_the_exif_orientation_is_applied() -> None:
    picture = Image.fromarray(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    assert image.decode(encoded(picture, exif=exif)).tolist() == [[4, 1], [5, 2], [6, 3]]
    assert image.decode(encoded(picture.resize((30, 20)), "JPEG", exif=exif)).shape == (30, 20)


def test_grey_stored_as_colour_comes_back_with_one_channel() -> None:
    grey = noise(channels=1)
    assert np.array_equal(image.decode(encoded(Image.fromarray(grey).convert("RGB"))), grey)
    nearly = np.repeat(grey[..., None], 3, 2)
    nearly[3, 4, 2] ^= 1
    assert np.array_equal(image.decode(encoded(Image.fromarray(nearly))), nearly)


def test_of_several_pages_the_first_is_taken() -> None:
    first, second = Image.new("L", (3, 2), 7), Image.new("L", (5, 5), 9)
    content = encoded(first, "TIFF", save_all=True, append_images=[second])
    assert image.decode(content).tolist() == [[7, 7, 7], [7, 7, 7]]


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG"])
def test_every_known_format_is_read(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    assert image.decode(encoded(Image.new("L", (3, 2), 80), kind, **options)).tolist() == [[80] * 3] * 2


@settings(max_examples=150)
@given(st.data())
def test_a_broken_file_is_refused_and_raises_nothing_else(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP"]))
    content = bytearray(encoded(Image.fromarray(noise(12, 9)), kind))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, min(len(content) - 1, 120)))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(1, len(content))) :]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pixels = image.decode(bytes(content), max_pixels=1_000_000)
        except ImageError:
            return
    assert pixels.dtype == np.uint8
    assert pixels.ndim in (2, 3)


def test_resizing_is_to_width_and_height_and_leaves_the_right_size_alone() -> None:
    pixels = np.full((30, 40), 9, np.uint8)
    assert image.resize(pixels, 8, 6).shape == (6, 8)
    assert image.resize(pixels, 40, 30) is pixels
    halves = np.repeat(np.array([[0, 200]], np.uint8), 4, 1)  # four black columns, four at 200
    assert image.resize(halves, 2, 1)[0, 0] < 30 < 170 < image.resize(halves, 2, 1)[0, 1]


def test_decoding_in_threads_leaves_the_filters_of_warnings_alone() -> None:
    content = png_of_zeros(9, 9)
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        shapes = set(pool.map(lambda _: image.decode(content).shape, range(400)))
    assert shapes == {(9, 9)}
    assert list(warnings.filters) == before


def test_a_picture_with_a_senseless_orientation_is_still_shown() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(Image.new("L", (9, 12)), "JPEG", exif=exif)
    place = content.index(b"\x01\x12\x00\x03") + 3
    for kind in range(14):  # the tag's type: a number, a text, a fraction, nothing known
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow remarks on the tag
            shape = image.decode(content[:place] + bytes([kind]) + content[place + 1 :]).shape
        assert shape in ((12, 9), (9, 12))


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("scan.dcm", View()),
        ("scan.dcm#frame=3", View(frame=3)),
        ("ct.dcm#window=lung", View(window="lung")),
        ("ct.dcm#window=Soft-Tissue", View(window="soft_tissue")),
        ("ct.dcm#frame=2&window=40,400", View(frame=2, window=Window(40, 400))),
        ("ct.dcm#window=-600,1500.5", View(window=Window(-600, 1500.5))),
        ("brain.nii.gz#slice=40&axis=coronal", View(slice=40, axis="coronal")),
    ],
)
def test_an_address_is_a_file_and_what_is_meant_of_it(tmp_path: Path, name: str, view: View) -> None:
    file, _, _ = name.partition("#")
    assert parse_address(tmp_path / name) == Address(tmp_path / file, view)


def test_a_file_that_has_the_whole_as_its_name_is_taken_as_it_is(tmp_path: Path) -> None:
    picture = np.array([[1, 2], [3, 4]], np.uint8)
    for name in ("case #4.png", "scan.png#frame=3", "#.png"):
        (tmp_path / name).write_bytes(image.encode_png(picture))
        assert parse_address(tmp_path / name) == Address(tmp_path / name, View())
        assert np.array_equal(image.decode(tmp_path / name), picture)
    folder = tmp_path / "visit#frame=1"
    folder.mkdir()
    (folder / "scan.png").write_bytes(image.encode_png(picture))
    assert np.array_equal(image.decode(folder / "scan.png"), picture)
    (tmp_path / "study#1.dcm").write_bytes(dicom(picture))
    assert np.array_equal(image.decode(tmp_path / "study#1.dcm#frame=1"), picture)
    with pytest.raises(ImageError, match=r"gone #5\.png does not exist"):
        image.decode(tmp_path / "gone #5.png")
    with pytest.raises(ImageError, match=r"gone\.dcm does not exist"):
        image.decode(tmp_path / "gone.dcm#frame=3")


@pytest.mark.parametrize(
    ("fragment", "message"),
    [
        ("fram=3", r"'fram' is no key of an address .*did you mean 'frame'\?"),
        ("frame", r"'frame' is no key of an address such as 'scan\.dcm#frame=3'"),
        ("frame=3&frame=4", "gives frame twice"),
        ("frame=three", "'three' is not a number of a frame or slice"),
        ("frame=-1", "'-1' is not a number"),
        ("axis=axal", r"'axal' is not an axis; did you mean 'axial'\?"),
        ("window=lungs", r"'lungs' is no window, nor centre and width such as 40,400; did you mean 'lung'\?"),
        ("window=40", "'40' is no window"),
        ("window=40,0", "'40,0' is no window"),
        ("window=nan,4", "'nan,4' is no window"),
        ("slice=1", "is a DICOM file, which has frames and no slice; write for instance frame=1"),
    ],
)
def test_an_address_that_is_not_understood_names_the_nearest(tmp_path: Path, fragment: str, message: str) -> None:
    (tmp_path / "scan.dcm").write_bytes(dicom(np.zeros((2, 2), np.uint8)))
    with pytest.raises(ImageError, match=message) as caught:
        image.decode(tmp_path / f"scan.dcm#{fragment}")
    assert f"scan.dcm#{fragment}" in str(caught.value)


def test_other_pictures_have_nothing_to_address(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png_of_zeros(4, 4))
    with pytest.raises(ImageError, match=r"photo\.png#frame=1 is neither DICOM nor NIfTI; frame is for those"):
        image.decode(tmp_path / "photo.png#frame=1")


def sample_of(path: Path) -> Sample:
    return Sample(path.name, "mine:1", "train", path.name, path, "What is it?", "A test", "OPEN")


@pytest.mark.usefixtures("fresh_cache")
def test_what_is_remembered_by_content_tells_the_parts_of_a_file_apart(tmp_path: Path) -> None:
    volume = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3) * 5
    (tmp_path / "brain.nii").write_bytes(nifti(volume))
    (tmp_path / "copy.nii").write_bytes(nifti(volume))
    names = ["brain.nii", "brain.nii#slice=0", "brain.nii#slice=0&window=50,20", "brain.nii#slice=2"]
    paths = [tmp_path / name for name in names]
    for _ in range(2):  # the second time from what is remembered
        hashes = fingerprint.FileHashes().of(paths)
        assert list(hashes) == paths
        assert None not in hashes.values()
        assert len(set(hashes.values())) == len(names)
    assert hashes[paths[0]] == fingerprint.of_bytes(paths[0].read_bytes())
    twin = tmp_path / "copy.nii#slice=2"
    assert fingerprint.FileHashes().of([twin])[twin] == hashes[paths[3]]

    store = ImageStore(Preprocessing(4))
    keys = store.add([sample_of(path) for path in paths])
    for path in paths:
        assert np.array_equal(store.pixels(keys[path.name]), image.decode(path))
    assert not np.array_equal(store.pixels(keys[names[2]]), store.pixels(keys[names[1]]))

    (tmp_path / "brain.nii").write_bytes(nifti(volume[::-1]))
    assert fingerprint.FileHashes().of([paths[1]])[paths[1]] != hashes[paths[1]], "a changed file is another"
    gone = tmp_path / "gone.nii#slice=2"
    assert fingerprint.FileHashes().of([gone]) == {gone: None}


def test_threads_that_enter_and_leave_in_any_order_leave_the_filters_of_warnings_alone() -> None:
    before = list(warnings.filters)
    first, second = no_warnings(), no_warnings()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    warnings.warn("nobody hears this", stacklevel=1)
    second.__exit__(None, None, None)
    assert list(warnings.filters) == before
    with pytest.raises(UserWarning, match="heard again"):
        warnings.warn("heard again", stacklevel=1)
