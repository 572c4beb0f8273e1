"""What the normalisers make of answers, and what equality after them then counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radvqa import text
from radvqa.prediction import Prediction
from radvqa.scoring import scorer

EASY_PAIRS = [("X-Ray", "xray"), ("Yes", " yes. "), ("Left  Lung", "left lung"), ("T2-weighted", "t2weighted")]


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
