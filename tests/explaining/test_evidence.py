"""Evidence by hand: maps whose score is known, models that look at one place, and maps that say nothing."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, sobel, uniform_filter1d

from radvqa.explaining.black_box.occlusion import occlusion
from radvqa.explaining.black_box.rise import rise
from radvqa.explaining.evidence.baselines import BASELINES, edges
from radvqa.explaining.evidence.faithfulness import blurred, deletion, insertion
from radvqa.explaining.evidence.localisation import best_overlap, grown, localised
from radvqa.explaining.heat import enlarged, shares

HEAT = arrays(np.float32, st.tuples(st.integers(2, 9), st.integers(2, 9)), elements=st.floats(0, 4, width=32))


def place_in(rows: int, columns: int, top: int, left: int, height: int, width: int) -> np.ndarray:
    place = np.zeros((rows, columns), bool)
    place[top : top + height, left : left + width] = True
    return place


def test_a_map_on_the_place_has_full_marks_and_one_beside_it_none() -> None:
    place = place_in(8, 8, 2, 2, 2, 4)
    right = localised(place.astype(np.float32), place)
    assert right is not None
    assert (right.hit, right.energy, right.overlap, right.area) == (1, 1, 1, 8 / 64)
    wrong = localised((~place).astype(np.float32), place)
    assert wrong is not None
    assert (wrong.hit, wrong.energy) == (0, 0)
    assert wrong.overlap == pytest.approx(8 / 64)  # of the cut that takes everything


def test_by_hand() -> None:
    heat = np.array([[4, 1], [3, 0]], np.float32)
    place = np.array([[True, True], [False, False]])
    found = localised(heat, place)
    assert found is not None
    numbers = [found.hit, found.energy, found.overlap, found.area]
    assert numbers == pytest.approx([1, 5 / 8, 2 / 3, 0.5])


def test_maps_that_say_nothing_hit_by_chance() -> None:
    place = place_in(10, 10, 0, 0, 3, 10)
    for heat in (np.zeros((10, 10), np.float32), np.full((10, 10), 7, np.float32)):
        found = localised(heat, place)
        assert found is not None
        assert found.hit == found.energy == found.overlap == pytest.approx(0.3)
    assert localised(np.zeros((10, 10), np.float32), np.zeros((10, 10), bool)) is None
    with pytest.raises(ValueError, match="the map is"):
        localised(np.zeros((3, 3), np.float32), place)


@settings(deadline=None)
@given(HEAT, st.integers(0, 5))
def test_the_best_overlap_is_that_of_some_threshold(heat: np.ndarray, seed: int) -> None:
    place = np.random.default_rng(seed).random(heat.shape) < 0.4
    if not place.any():
        return
    every = [(heat >= value) for value in np.unique(heat)]
    expected = max((cut & place).sum() / (cut | place).sum() for cut in every)
    assert best_overlap(heat, place) == pytest.approx(expected)


@given(st.integers(0, 6), st.integers(0, 30))
def test_growing_is_dilation(pixels: int, seed: int) -> None:
    place = np.random.default_rng(seed).random((9, 12)) < 0.1
    expected = binary_dilation(place, np.ones((2 * pixels + 1,) * 2, bool)) if pixels else place
    assert np.array_equal(grown(place, pixels), expected)


@settings(deadline=None)
@given(HEAT, st.integers(1, 30), st.integers(1, 30))
def test_enlarging_keeps_what_is_flat_and_stays_within(grid: np.ndarray, rows: int, columns: int) -> None:
    found = enlarged(grid, rows, columns)
    assert found.shape == (rows, columns)
    assert grid.min() - 1e-5 <= found.min() <= found.max() <= grid.max() + 1e-5
    assert np.allclose(enlarged(np.full((3, 2), 5.0), rows, columns), 5)
    assert np.allclose(enlarged(grid, *grid.shape), grid, atol=1e-5)


def test_shares_of_odd_numbers() -> None:
    assert shares(np.array([[1.0, -3], [np.nan, 3]])).tolist() == [[0.25, 0], [0, 0.75]]
    assert not shares(np.array([[-1.0, np.inf]])).any()


def test_edges_are_sobels() -> None:
    picture = (np.random.default_rng(0).random((16, 16)) * 255).astype(np.uint8)
    grey = picture.astype(np.float64)
    expected = np.hypot(sobel(grey, 0, mode="nearest"), sobel(grey, 1, mode="nearest"))
    assert np.allclose(edges(picture, ""), expected, rtol=1e-5)  # sixteen cells of one pixel each


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3), (3, 5), (1, 1)])
def test_baselines_are_maps_of_the_picture(name: str, shape: tuple[int, ...]) -> None:
    picture = (np.random.default_rng(1).random(shape) * 255).astype(np.uint8)
    first, second, other = (BASELINES[name](picture, said) for said in ("a", "a", "b"))
    assert first.shape == shape[:2]
    assert np.isfinite(first).all()
    assert first.min() >= 0
    assert np.array_equal(first, second)
    assert name != "random" or min(shape[:2]) < 3 or not np.array_equal(first, other)


def test_blurring_is_three_box_filters() -> None:
    picture = (np.random.default_rng(2).random((30, 40, 3)) * 255).astype(np.uint8)
    expected = picture.astype(np.float64)
    for _ in range(3):
        for axis in (0, 1):
            expected = uniform_filter1d(expected, 5, axis, mode="nearest")
    assert np.abs(blurred(picture, 4 / 30).astype(float) - expected).max() <= 0.51


class Looks:
    """A model that sees one corner: the answer is as probable as the corner is like itself."""

    def __init__(self, picture: NDArray[np.generic], place: NDArray[np.bool_]) -> None:
        self.picture, self.place, self.asked = picture.astype(float), place, 0

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.floating]:
        self.asked += len(pictures)
        apart = np.array([np.abs(p.astype(float) - self.picture)[self.place].mean() for p in pictures])
        return 1 / (1 + apart / 10)


@pytest.fixture
def looks() -> Looks:
    picture = (np.random.default_rng(3).random((56, 70)) * 255).astype(np.uint8)
    return Looks(picture, place_in(56, 70, 4, 10, 12, 15))


def test_occlusion_and_rise_find_where_a_model_looks(looks: Looks) -> None:
    picture = looks.picture.astype(np.uint8)
    for heat, least in ((occlusion(picture, looks), 0.45), (rise(picture, looks, masks=300), 0.2)):
        found = localised(heat, looks.place)
        assert found is not None
        assert found.hit == 1
        assert found.energy > least > 2 * found.area
    assert looks.asked == 14 * 14 + 1 + 300
    colour = np.repeat(picture[..., None], 3, 2)
    seen = Looks(colour, np.repeat(looks.place[..., None], 3, 2))
    assert localised(occlusion(colour, seen), looks.place).hit == 1  # type: ignore[union-attr]


def test_a_model_that_looks_nowhere_gives_a_map_of_nothing() -> None:
    picture = np.zeros((20, 20), np.uint8)
    for heat in (
        occlusion(picture, lambda p: np.full(len(p), 0.4)),
        rise(picture, lambda p: np.full(len(p), 0.4), masks=20),
    ):
        assert np.allclose(heat, 0, atol=1e-6)


def test_rise_is_the_same_again_and_another_with_another_seed(looks: Looks) -> None:
    picture = looks.picture.astype(np.uint8)
    first, second, other = (rise(picture, looks, masks=20, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_deleting_what_matters_first_makes_the_answer_go_sooner(looks: Looks) -> None:
    picture, right = looks.picture.astype(np.uint8), looks.place.astype(np.float32)
    random = BASELINES["random"](picture, "x")
    assert deletion(picture, right, looks).area < deletion(picture, random, looks).area
    assert insertion(picture, right, looks).area > insertion(picture, random, looks).area
    curve = deletion(picture, right, looks, steps=4)
    assert list(curve.shares) == [0, 0.25, 0.5, 0.75, 1]
    assert curve.scores[0] == pytest.approx(1)
    expected = sum((a + b) / 2 * 0.25 for a, b in zip(curve.scores, curve.scores[1:], strict=False))
    assert curve.area == pytest.approx(expected)
    assert insertion(picture, right, looks, steps=4).scores[-1] == 1
