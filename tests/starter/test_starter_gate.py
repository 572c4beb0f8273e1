"""The gate for pictures against scikit-learn and scipy, and the gate for questions by hand."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import mahalanobis
from sklearn.decomposition import PCA

from radvqa.errors import RadvqaError
from radvqa.starter import gate, question_gate
from radvqa.starter.gate import MOST_COLOUR, ROOM, PictureGate, coloured
from radvqa.starter.question_gate import QuestionGate

Array = npt.NDArray[Any]


def unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def pictures(many: int, seed: int = 0, size: int = 12) -> Array:
    """Vectors around one direction, spread more along some axes than along others."""
    rng = np.random.default_rng(seed)
    return np.asarray(5 + rng.normal(0, np.linspace(2, 0.1, size), (many, size)))


@pytest.fixture
def fitted() -> PictureGate:
    return gate.fit(pictures(80), pictures(30, seed=1), directions=4)


def test_the_distance_is_that_of_scipy_under_the_covariance_of_scikit_learn(fitted: PictureGate) -> None:
    pca = PCA(4).fit(unit(pictures(80)))
    precision = pca.get_precision()
    for vector in pictures(5, seed=2):
        assert fitted.distance(vector) == pytest.approx(mahalanobis(unit(vector), pca.mean_, precision), rel=2e-3)


def test_the_limit_is_where_99_percent_of_the_validation_pictures_are_times_the_room(fitted: PictureGate) -> None:
    far = sorted(fitted.distance(vector) for vector in pictures(30, seed=1))
    place = 0.99 * 29  # linear interpolation between the two largest
    assert fitted.limit == pytest.approx(ROOM * (far[28] + (place - 28) * (far[29] - far[28])))
    assert all(fitted.passes(vector) for vector in pictures(30, seed=1))


def test_what_lies_elsewhere_does_not_pass(fitted: PictureGate) -> None:
    assert not fitted.passes(-pictures(1)[0])
    assert not fitted.passes(np.eye(12)[0])
    assert not fitted.passes(np.zeros(12))
    assert not fitted.passes(np.full(12, np.nan))


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_how_long_a_vector_is_does_not_matter(seed: int, factor: float) -> None:
    fitted = gate.fit(pictures(20), pictures(5, seed=1))
    vector = pictures(1, seed)[0]
    assert fitted.distance(factor * vector) == pytest.approx(fitted.distance(vector), rel=1e-6)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(0, 1))
def test_a_picture_passes_exactly_when_neither_distance_nor_colour_is_strange(seed: int, colour: float) -> None:
    fitted = gate.fit(pictures(20), pictures(5, seed=1))
    vector = pictures(1, seed)[0] + np.random.default_rng(seed).normal(0, 3, 12)
    passes = fitted.distance(vector) <= fitted.limit and colour <= MOST_COLOUR
    assert fitted.passes(vector, colour) == passes == (fitted.strangeness(vector, colour) <= 1)


def test_more_directions_than_pictures_span_are_not_asked_for() -> None:
    fitted = gate.fit(pictures(6), pictures(3, seed=1))
    assert fitted.directions.shape == (4, 12)
    assert np.isfinite(fitted.distance(pictures(1, seed=2)[0]))


def test_equal_pictures_make_a_gate_that_only_they_pass() -> None:
    same = np.ones((5, 12))
    fitted = gate.fit(same, same[:2] + 1e-6 * np.eye(2, 12))
    assert fitted.passes(same[0])
    assert not fitted.passes(pictures(1)[0])


def test_the_picture_gate_is_kept_whole(fitted: PictureGate) -> None:
    kept = PictureGate.from_tensors({**fitted.tensors(), "other": np.zeros(1)})
    assert kept.limit == fitted.limit
    for vector in pictures(5, seed=3):
        assert kept.distance(vector) == fitted.distance(vector)


@pytest.mark.parametrize(("training", "validation"), [(2, 3), (5, 0)])
def test_too_few_pictures_are_refused(training: int, validation: int) -> None:
    with pytest.raises(RadvqaError, match=f"fitted to {training} training and {validation} validation pictures"):
        gate.fit(pictures(training), pictures(validation))


def test_colour_is_counted_by_pixel() -> None:
    picture = np.full((4, 4, 3), 100, np.uint8)
    assert coloured(picture) == 0
    picture[0, 0] = (100, 124, 100)  # as far as compression goes
    assert coloured(picture) == 0
    picture[0, :2] = ((255, 0, 0), (100, 100, 140))
    assert coloured(picture) == 2 / 16
    assert coloured(picture[..., 0]) == 0  # grey


WORDS = ("is", "there", "a", "liver", "lung")
ASKED = ["Is there a liver?", "Is there a lung?", "Is there a lung, a left one?", "Is the lung there?"]


@pytest.fixture
def asked() -> QuestionGate:
    return question_gate.fit(ASKED, WORDS, "seed000")


def test_words_weigh_by_how_few_questions_have_them(asked: QuestionGate) -> None:
    wanted = {
        "is": np.log(5 / 4),
        "there": np.log(5 / 4),
        "a": np.log(5 / 3),
        "liver": np.log(5),
        "lung": np.log(5 / 3),
    }
    assert asked.weights == pytest.approx(wanted, rel=1e-6)
    assert asked.unread == pytest.approx(np.log(5), rel=1e-6)


def test_the_share_that_was_never_read_by_hand(asked: QuestionGate) -> None:
    known = 2 * np.log(5 / 4) + np.log(5 / 3)
    assert asked.unread_share("Is there a fracture?") == pytest.approx(np.log(5) / (np.log(5) + known), rel=1e-6)
    assert asked.unread_share("IS THERE A LIVER") == 0
    assert asked.unread_words("Is the liver the left one?") == ["the", "left", "one"]


def test_a_question_about_something_unknown_is_not_answered(asked: QuestionGate) -> None:
    assert asked.passes("Is there a liver?")
    assert not asked.passes("Is there a fracture?")
    assert not asked.passes("Fracture?")
    assert not asked.passes("")
    assert not asked.passes("图中有肝脏吗?")


def test_one_odd_word_among_telling_ones_does_not_matter(asked: QuestionGate) -> None:
    assert asked.passes("Is there a lung, a liver, perhaps?")


@given(st.lists(st.sampled_from([*WORDS, "fracture", "pneumothorax"]), max_size=8))
def test_shares_lie_between_none_and_all(words: list[str]) -> None:
    asked = question_gate.fit(ASKED, WORDS, "seed000")
    share = asked.unread_share(" ".join(words))
    unread = [word for word in words if word not in WORDS]
    assert 0 <= share <= 1
    assert (share == 0) == (not unread and bool(words))
    assert asked.unread_words(" ".join(words)) == list(dict.fromkeys(unread))


def test_the_question_gate_is_kept_whole(asked: QuestionGate) -> None:
    assert QuestionGate.from_tensors(asked.tensors(), WORDS, "seed000") == asked
