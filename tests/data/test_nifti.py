"""NIfTI: the same patient looks the same, whatever way the voxels are stored."""

import gzip
import itertools
import struct
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hospital_files import nifti
from miniature import python
from radvqa.data import image
from radvqa.errors import ImageError

ONE: Any = nibabel.Nifti1Image
TWO: Any = nibabel.Nifti2Image

RIGHT, FRONT, UP = 5, 6, 7
BODY = np.arange(RIGHT * FRONT * UP, dtype=np.int16).reshape(RIGHT, FRONT, UP)
"""``BODY[x, y, z]``: x from the patient's left to the right, y from back to front, z from the feet up."""

AS_THEY_ARE = "window=128,256"  # ((x − 127.5) / 255 + 0.5) × 255 = x

VIEWS = {
    # rows from above, columns from the left of the picture: the patient's right is there, or the front
    "axial": [[[BODY[RIGHT - 1 - c, FRONT - 1 - r, z] for c in range(RIGHT)] for r in range(FRONT)] for z in range(UP)],
    "coronal": [[[BODY[RIGHT - 1 - c, y, UP - 1 - r] for c in range(RIGHT)] for r in range(UP)] for y in range(FRONT)],
    "sagittal": [[[BODY[x, FRONT - 1 - c, UP - 1 - r] for c in range(FRONT)] for r in range(UP)] for x in range(RIGHT)],
}


def shown(content: bytes, tmp_path: Path, fragment: str = "", name: str = "scan.nii") -> NDArray[np.uint8]:
    path = tmp_path / name
    path.write_bytes(content)
    return image.decode(path.with_name(f"{name}#{fragment}") if fragment else path)


def stored(order: tuple[int, ...], flips: tuple[bool, ...], turn: NDArray[np.float64] | None = None) -> bytes:
    """The body with its axes stored in another order and direction, and the affine that says so."""
    values = BODY.transpose(order)
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for axis, (of_body, flip) in enumerate(zip(order, flips, strict=True)):
        affine[of_body, axis] = -1.5 if flip else 1.5
        affine[of_body, 3] = 1.5 * (BODY.shape[of_body] - 1) if flip else 0
        values = np.flip(values, axis) if flip else values
    if turn is not None:
        affine[:3] = turn @ affine[:3]
    return nifti(np.ascontiguousarray(values), affine)


def rotation(degrees: float, axis: int) -> NDArray[np.float64]:
    angle, turned = np.deg2rad(degrees), np.eye(3)
    first, second = (other for other in range(3) if other != axis)
    turned[[first, second], [first, second]] = np.cos(angle)
    turned[first, second], turned[second, first] = -np.sin(angle), np.sin(angle)
    return turned


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", list(itertools.product([False, True], repeat=3)))
def test_every_order_and_direction_of_axes_shows_the_same(
    tmp_path: Path, order: tuple[int, ...], flips: tuple[bool, ...]
) -> None:
    content = stored(order, flips)
    for axis, slices in VIEWS.items():
        for number in (0, 3, len(slices) - 1):
            decoded = shown(content, tmp_path, f"slice={number}&axis={axis}&{AS_THEY_ARE}")
            assert decoded.tolist() == slices[number]


@pytest.mark.parametrize("degrees", [-35, 10, 40])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_oblique_volumes_are_cut_along_their_own_nearest_axes(tmp_path: Path, degrees: float, axis: int) -> None:
    content = stored((2, 0, 1), (True, False, True), rotation(degrees, axis))
    for name, slices in VIEWS.items():
        assert shown(content, tmp_path, f"slice=2&axis={name}&{AS_THEY_ARE}").tolist() == slices[2]


def test_the_patients_left_is_on_the_right_and_the_front_is_up(tmp_path: Path) -> None:
    values = np.zeros((20, 20, 20), np.uint8)
    affine = np.array([[0, -2, 0, 19], [0, 0, 2, -19], [-2, 0, 0, 19], [0, 0, 0, 1]], float)
    for place, grey in (((-15, 0, 0), 100), ((0, 15, 0), 150), ((0, 0, 15), 200)):  # left, front, up, in millimetres
        i, j, k = np.round(np.linalg.solve(affine, [*place, 1])[:3]).astype(int)
        values[i, j, k] = grey
    content = nifti(values, affine)

    def seen(axis: str, grey: int) -> tuple[int, int]:
        for number in range(20):
            found = np.argwhere(shown(content, tmp_path, f"slice={number}&axis={axis}&{AS_THEY_ARE}") == grey)
            if len(found):
                return int(found[0, 0]), int(found[0, 1])
        raise AssertionError(f"{grey} is in no {axis} slice")

    assert seen("axial", 100)[1] > 12, "left is on the right"
    assert seen("axial", 150)[0] < 7, "the front is up"
    assert seen("coronal", 100)[1] > 12
    assert seen("coronal", 200)[0] < 7, "the head is up"
    assert seen("sagittal", 150)[1] < 7, "the front is on the left"
    assert seen("sagittal", 200)[0] < 7


def test_an_affine_without_extent_along_an_axis_is_taken_as_stored(tmp_path: Path) -> None:
    affine = np.diag([1.0, 1.0, 0.0, 1.0])
    volume = ONE(BODY, None)
    volume.header.set_sform(affine, code=1)
    assert shown(volume.to_bytes(), tmp_path, f"slice=2&{AS_THEY_ARE}").tolist() == VIEWS["axial"][2]


def test_the_middle_axial_slice_between_its_percentiles_by_default(tmp_path: Path) -> None:
    values = (BODY * 7 - 300).astype(np.float32)
    values[0, 0, 3] = np.nan
    middle = np.array(VIEWS["axial"][3], float) * 7 - 300
    middle[-1, -1] = np.nan
    low, high = np.nanpercentile(middle, [1, 99])
    expected = np.nan_to_num(np.clip((middle - low) / (high - low), 0, 1) * 255)
    assert np.abs(shown(nifti(values), tmp_path) - expected).max() <= 0.5 + 1e-6


def test_slope_and_intercept_of_the_header_count(tmp_path: Path) -> None:
    volume = ONE(BODY, np.eye(4))
    volume.header.set_slope_inter(2, -1000)
    content = bytearray(volume.to_bytes())
    content[112:120] = struct.pack("<ff", 2, -1000)  # scl_slope, scl_inter
    decoded = shown(bytes(content), tmp_path, "slice=0&window=-872,256")
    assert np.array_equal(decoded, np.clip(np.array(VIEWS["axial"][0]) * 2, 0, 255))


def test_a_preset_is_for_what_looks_like_ct(tmp_path: Path) -> None:
    units = np.array([[-1000, 0, 40], [80, 120, 300]], np.int16)[:, :, None]
    # rows are y from 2 down, columns x from 1 down; ((40 − 39.5) / 79 + 0.5) × 255 = 129.1
    brain = [[255, 129], [255, 0], [255, 0]]
    assert shown(nifti(units), tmp_path, "window=brain").tolist() == brain
    with pytest.raises(ImageError, match=r"does not look like CT in Hounsfield units.*window=40,400"):
        shown(nifti(np.abs(units)), tmp_path, "window=brain")


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nii", "scan.png", "scan"])
def test_known_by_content_packed_or_not_in_either_version(tmp_path: Path, name: str) -> None:
    for kind in (ONE, TWO):
        content = nifti(BODY, kind=kind)
        for stored_content in (content, gzip.compress(content)):
            decoded = shown(stored_content, tmp_path, f"slice=4&axis=coronal&{AS_THEY_ARE}", name)
            assert decoded.tolist() == VIEWS["coronal"][4]
            assert np.array_equal(image.decode(stored_content), shown(content, tmp_path))


def test_of_several_volumes_the_first_is_taken(tmp_path: Path) -> None:
    series = np.stack([BODY, BODY[::-1], 0 * BODY], axis=3)
    assert np.array_equal(shown(nifti(series), tmp_path), shown(nifti(BODY), tmp_path))
    assert np.array_equal(shown(gzip.compress(nifti(series)), tmp_path), shown(nifti(BODY), tmp_path))


def test_a_single_slice_and_a_picture_of_two_axes(tmp_path: Path) -> None:
    flat = BODY[:, :, 3]
    for values in (flat, flat[:, :, None]):
        assert shown(nifti(values), tmp_path, AS_THEY_ARE).tolist() == VIEWS["axial"][3]
        with pytest.raises(ImageError, match="has no axial slice 1; its axial slices are 0 to 0"):
            shown(nifti(values), tmp_path, "slice=1")
    assert shown(nifti(flat), tmp_path, f"axis=sagittal&slice=4&{AS_THEY_ARE}").tolist() == [flat[4, ::-1].tolist()]


def test_colours_are_kept_and_have_no_window(tmp_path: Path) -> None:
    colours = np.zeros((2, 1, 1), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    colours[0], colours[1] = (250, 10, 20), (10, 20, 250)
    assert shown(nifti(colours), tmp_path).tolist() == [[[10, 20, 250], [250, 10, 20]]]
    with pytest.raises(ImageError, match="holds colours"):
        shown(nifti(colours), tmp_path, "window=1,2")


def with_sides(*sides: int) -> bytes:
    """A NIfTI file whose header claims these sides, on little content."""
    content = bytearray(nifti(np.zeros((2, 2, 2), np.uint8)))
    content[40:56] = struct.pack("<8h", len(sides), *sides, *[1] * (7 - len(sides)))
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "fragment", "message"),
    [
        (nifti(BODY)[:-100], "slice=6", "broken or cut off NIfTI volume"),
        (gzip.compress(nifti(BODY))[:-60], "slice=6", "broken or cut off NIfTI volume"),
        (nifti(BODY)[:300] + b"\xff" * 44 + b"n+1\0", "", "broken or cut off NIfTI volume"),
        (with_sides(30_000, 30_000, 1), "", r"30,000 × 30,000 = 900,000,000 pixels a slice; the limit is 80,000,000"),
        (gzip.compress(with_sides(2000, 2000, 2000)), "", r"2,000 × 2,000 × 2,000 voxels; .* at most 1,000,000,000"),
        (with_sides(5), "", "5 voxels; a volume has 2 or 3 axes"),
        (nifti(BODY.astype(np.complex64)), "", "complex numbers"),
        (nifti(BODY), "frame=2", "has slices and no frames; write slice=2"),
        (nifti(BODY), "slice=7", r"has no axial slice 7; its axial slices are 0 to 6\."),
        (nifti(BODY)[:344] + b"ni1\0" + nifti(BODY)[348:], "", r"header of a NIfTI pair .*save it as one \.nii file"),
    ],
)
def test_what_cannot_be_shown_is_refused_by_name(tmp_path: Path, content: bytes, fragment: str, message: str) -> None:
    with pytest.raises(ImageError, match=message) as caught:
        shown(content, tmp_path, fragment)
    assert "scan.nii" in str(caught.value)


def test_gzip_of_something_else_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"not a picture in a known format .*NIfTI"):
        shown(gzip.compress(b"a text"), tmp_path, name="notes.nii.gz")


BOMB = """
import resource, sys
from pathlib import Path
from radvqa.data import image
from radvqa.errors import ImageError
image.decode(Path(sys.argv[1]))  # everything is imported and warm
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    image.decode(Path(sys.argv[2]))
except ImageError as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error)
"""


def test_a_packed_bomb_is_not_unpacked(tmp_path: Path) -> None:
    small, bomb = tmp_path / "small.nii.gz", tmp_path / "bomb.nii.gz"
    small.write_bytes(gzip.compress(nifti(BODY)))
    with gzip.open(bomb, "wb", compresslevel=1) as handle:
        handle.write(with_sides(30_000, 30_000, 1))
        for _ in range(300):
            handle.write(bytes(1_000_000))
    done = python(BOMB, small, bomb)
    assert done.returncode == 0, done.stderr
    grown, message = done.stdout.split(" ", 1)
    assert "the limit is 80,000,000" in message
    assert int(grown) < 16 * 1024, f"{grown} KiB more"


def test_nibabel_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    content = nifti(BODY)
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(ImageError, match=r"reading it needs nibabel: pip install 'radvqa\[medical\]'"):
        image.decode(content)


KINDS: list[Any] = [np.uint8, np.int16, np.float32, np.float64]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_broken_file_is_refused_and_raises_nothing_else(data: st.DataObject) -> None:
    content = bytearray(nifti(BODY.astype(data.draw(st.sampled_from(KINDS)))))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, 343))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(348, len(content))) :]
    try:
        pixels = image.decode(bytes(content), max_pixels=1_000_000)
    except ImageError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.ndim in (2, 3)
