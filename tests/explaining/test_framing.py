"""Which part of a picture a model sees, for preprocessing that stretches, and for one that crops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import CLIPImageProcessor

from radvqa.data.image import Pixels
from radvqa.data.store import Preprocessing
from radvqa.explaining.framing import Framing


class Crop:
    """Takes a rectangle and keeps its size."""

    key = "crop"

    def __init__(self, top: int, left: int, bottom: int, right: int) -> None:
        self.place = np.s_[top:bottom, left:right]

    def apply(self, pixels: Pixels) -> Pixels:
        return np.ascontiguousarray(pixels[self.place])


@pytest.mark.parametrize("shape", [(512, 512), (300, 800), (64, 64)])
def test_stretching_shows_all(shape: tuple[int, int]) -> None:
    assert Framing.of(Preprocessing(224), *shape) == Framing()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(120, 200), st.integers(120, 240))
def test_a_crop_is_found(top: int, left: int, bottom: int, right: int) -> None:
    framing = Framing.of(Crop(top, left, bottom, right), 200, 240)
    expected = (top / 200, left / 240, bottom / 200, right / 240)
    found = (framing.top, framing.left, framing.bottom, framing.right)
    assert found == pytest.approx(expected, abs=0.025)


def test_clips_own_processor_cuts_the_sides() -> None:
    class Own:
        key = "own"

        def apply(self, pixels: Pixels) -> Pixels:
            processor = CLIPImageProcessor(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56})
            colour = np.stack([pixels] * 3, -1)
            done = processor(images=colour, do_rescale=False, do_normalize=False, return_tensors="np")
            return np.asarray(done["pixel_values"][0][0]).round().astype(np.uint8)

    framing = Framing.of(Own(), 100, 200)
    assert (framing.top, framing.bottom) == (0, 1)
    assert (framing.left, framing.right) == pytest.approx((0.25, 0.75), abs=0.02)


def test_what_is_not_seen_is_zero() -> None:
    heat = Framing(0.25, 0.0, 0.75, 1.0).spread(np.ones((4, 4)), 40, 20)
    assert heat[10:30].min() == pytest.approx(1)
    assert heat[:10].max() == heat[30:].max() == 0


def test_a_grid_of_one_patch_covers_a_picture_of_one_pixel() -> None:
    assert Framing().spread(np.ones((1, 1)), 1, 1).tolist() == [[1.0]]
