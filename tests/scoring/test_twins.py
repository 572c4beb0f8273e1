"""Twin pairs by hand."""

import pytest

from radvqa.prediction import Prediction
from radvqa.scoring.twins import score_twins
from radvqa.text import seed000


def asked(name: str, twin: str, gold: str, answer: str, question: str = "Nodule?") -> Prediction:
    return Prediction(name, question, gold, answer, "CLOSED", image=f"image-{name}", twin=twin)


def test_a_pair_counts_when_both_answers_are_right() -> None:
    predictions = [
        asked("a", "b", "Yes", "yes"),
        asked("b", "a", "No", "no"),
        asked("c", "d", "Yes", "yes"),
        asked("d", "c", "No", "yes"),
    ]
    scores = score_twins(predictions, seed000, resamples=100, seed=0)
    assert scores is not None
    assert scores["pairs"] == 2
    assert scores["both_right"] == 0.5
    assert scores["both_right_interval"] == (0, 1)
    assert scores["same_answer"] == 0.5
    assert scores["chance"] == pytest.approx(0.25)  # half the golds are yes, half are no


def test_chance_follows_the_golds_of_the_same_question() -> None:
    predictions = [
        asked("a", "b", "lung", "x", "Which organ?"),
        asked("b", "a", "lung", "x", "which organ"),
        asked("c", "", "heart", "x", "Which organ?"),
        asked("d", "", "no", "x", "Nodule?"),
    ]
    scores = score_twins(predictions, seed000, resamples=10, seed=0)
    assert scores is not None
    assert scores["chance"] == pytest.approx((2 / 3) ** 2)
    assert scores["both_right_interval"] is None


def test_only_predictions_that_name_each_other_are_pairs() -> None:
    one_sided = [asked("a", "b", "yes", "yes"), asked("b", "", "no", "no"), asked("c", "gone", "yes", "yes")]
    crossed = [asked("a", "b", "yes", "yes"), asked("b", "c", "no", "no"), asked("c", "a", "yes", "yes")]
    to_itself = [asked("a", "a", "yes", "yes")]
    for predictions in (one_sided, crossed, to_itself, []):
        assert score_twins(predictions, seed000, resamples=10, seed=0) is None
