"""What the normalisers make of answers, and what the equality rule then counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radvqa import text
from radvqa.prediction import Prediction
from radvqa.scoring import scorer

# Ten pairs on which published scoring rules disagree; the rule `seed000` counts none of them as correct.
HARD_PAIRS = [
    ("X-Ray", "x ray", "OPEN"),
    ("2", "two", "OPEN"),
    ("Yes", "Yes, there is.", "CLOSED"),
    ("No", "Not seen", "CLOSED"),
    ("Lung", "the lung", "OPEN"),
    ("T2", "T2-weighted", "OPEN"),
    ("Left Lung, Lower Right", "lower right left lung", "OPEN"),
    ("No", "abnormal", "CLOSED"),
    ("Liver", "Liver (segment 4)", "OPEN"),
    ("None", "0", "OPEN"),
]

EASY_PAIRS = [("X-Ray", "xray"), ("Yes", " yes. "), ("Left  Lung", "left lung"), ("T2-weighted", "t2weighted")]


@pytest.mark.parametrize(("gold", "answer", "answer_type"), HARD_PAIRS)
def test_seed000_counts_none_of_the_hard_pairs(gold: str, answer: str, answer_type: str) -> None:
    row = {"id": "1", "question": "?", "answer": gold, "prediction": answer, "answer_type": answer_type}
    scores = scorer.score([Prediction(**row)], normaliser="seed000", resamples=1)  # type: ignore[arg-type]
    assert scores["subsets"]["overall"]["accuracy"] == 0
    assert scores["subsets"][answer_type.lower()]["exact_match"] == 0


@pytest.mark.parametrize(("gold", "answer"), EASY_PAIRS)
def test_seed000_ignores_case_punctuation_and_spaces(gold: str, answer: str) -> None:
    scores = scorer.score([Prediction("1", "?", gold, answer, "OPEN")], normaliser="seed000", resamples=1)
    assert scores["subsets"]["overall"]["accuracy"] == 1


@pytest.mark.parametrize("name", sorted(text.NORMALISERS))
@given(st.text())
def test_normalising_twice_changes_nothing(name: str, raw: str) -> None:
    once = text.NORMALISERS[name](raw)
    assert text.NORMALISERS[name](once) == once


@pytest.mark.parametrize(("gold", "answer", "right"), [("بله", "بله", 1), ("بله", "خیر", 0), ("是的", "不是", 0)])
def test_scripts_beyond_latin_are_kept_for_other_languages(gold: str, answer: str, right: int) -> None:
    scores = scorer.score([Prediction("1", "؟", gold, answer, "CLOSED", language="fa")], resamples=1)
    assert scores["normaliser"] == "unicode"
    assert scores["subsets"]["overall"]["accuracy"] == right
