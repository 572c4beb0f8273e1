"""Markers and margins: found where they were drawn, and gone after the probe; pictures without are left alone."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from probing_parts import applied, pixels_of, sample

from radvqa.data.image import Pixels
from radvqa.data.margins import Margins, margins, share, without
from radvqa.data.markers import markers

SIDE = 400


def body(letter: str = "", turn: float = 0.0) -> Pixels:
    """A soft ellipse on near black, with a letter in the upper right corner."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    grey = 20 + 120 * np.exp(-(((x / 0.55) ** 2 + (y / 0.7) ** 2) ** 3))
    picture = Image.fromarray(np.round(grey).astype(np.uint8))
    if letter:
        stamp = Image.new("L", (60, 60))
        ImageDraw.Draw(stamp).text((30, 30), letter, fill=255, font=ImageFont.load_default(28), anchor="mm")
        stamp = stamp.rotate(turn, Image.Resampling.BILINEAR)
        picture.paste(235, (330, 10), stamp)
    return np.asarray(picture)


@pytest.mark.parametrize("letter", ["L", "R"])
@pytest.mark.parametrize("turn", [-30, 0, 30])
def test_a_letter_beside_the_body_is_found_and_named(letter: str, turn: float) -> None:
    found = markers(body(letter, turn).astype(np.float32))
    assert len(found) == 1
    assert found[0].letter in ((letter, "") if turn else (letter,))  # turned ones are found, and not always named
    left, top, width, height = found[0].box
    assert 330 < left < left + width < 390
    assert 10 < top < top + height < 70


@pytest.mark.parametrize("other", ["", "T", "O", "B"])
def test_other_shapes_are_no_laterality_letters(other: str) -> None:
    assert not {one.letter for one in markers(body(other).astype(np.float32))} & {"L", "R"}


@pytest.mark.parametrize("value", [0, 130, 255])
def test_a_flat_picture_has_neither(value: int) -> None:
    flat = np.full((60, 90), value, np.uint8)
    assert markers(flat.astype(np.float32)) == []
    assert margins(flat) == Margins(0, 0, 0, 0)


def test_tiny_pictures_have_neither() -> None:
    tiny = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    assert markers(tiny.astype(np.float32)) == []
    assert not margins(tiny[:1, :1]).any


@pytest.mark.parametrize("shade", [0, 255])
def test_margins_are_measured_and_cut(shade: int) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (50, 40), dtype=np.uint8)
    framed = np.full((70, 60), shade, np.uint8)
    framed[5:55, 12:52] = noise
    around = margins(framed)
    assert around == Margins(5, 15, 12, 8)
    assert np.array_equal(without(framed, around), noise)
    assert share(around, 70, 60) == pytest.approx(1 - 50 * 40 / (70 * 60))
    colour = np.repeat(framed[..., None], 3, axis=2)
    assert margins(colour) == around


def test_covering_takes_the_letter_and_leaves_the_body(tmp_path: Path) -> None:
    with_letter, plain = body("L"), body()
    samples = [sample(tmp_path, "with", with_letter), sample(tmp_path, "plain", plain)]
    probed = applied("markers_covered", samples, tmp_path)
    assert [one.sample.id for one in probed] == ["with"]
    after = pixels_of(probed[0]).astype(int)
    assert np.abs(after - plain.astype(int)).max() < 12  # the ground around, where the letter was
    assert markers(after.astype(np.float32)) == []


def test_cutting_takes_the_margins_alone(tmp_path: Path) -> None:
    inner = np.random.default_rng(1).integers(10, 250, (60, 80), dtype=np.uint8)
    framed = np.zeros((100, 100), np.uint8)
    framed[20:80, 10:90] = inner
    probed = applied("borders_cut", [sample(tmp_path, "framed", framed), sample(tmp_path, "inner", inner)], tmp_path)
    assert [one.sample.id for one in probed] == ["framed"]
    assert np.array_equal(pixels_of(probed[0]), inner)
