"""Metrics against scikit-learn and against sums done by hand."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from radvqa.prediction import Prediction
from radvqa.scoring.items import items_of
from radvqa.scoring.metric import METRICS, Undefined
from radvqa.scoring.statistics import value
from radvqa.text import NORMALISERS

WORDS = st.sampled_from(
    ["yes", "no", "left lung", "lung", "Left, Lung!", "heart heart lung", "", "🙂", "رئة", "lung lung"]
)
PAIRS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=30)


def measured(name: str, pairs: list[tuple[str, str]], normaliser: str = "seed000") -> float:
    predictions = [Prediction(str(i), "?", gold, answer, "OPEN") for i, (gold, answer) in enumerate(pairs)]
    statistic = METRICS[name].measure(items_of(predictions, NORMALISERS[normaliser]))
    assert not isinstance(statistic, Undefined)
    return value(statistic, len(pairs))


def ranked(gold: str, *candidates: str) -> Prediction:
    answers = tuple((candidate, 0.1) for candidate in candidates)
    return Prediction(
        f"{gold} {candidates}", "?", gold, candidates[0] if candidates else "", "OPEN", candidates=answers
    )


def top5(*predictions: Prediction) -> float | str:
    statistic = METRICS["top5"].measure(items_of(predictions, NORMALISERS["seed000"]))
    return statistic.reason if isinstance(statistic, Undefined) else value(statistic, len(predictions))


@given(PAIRS)
def test_accuracy_and_macro_f1_equal_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    golds = [NORMALISERS["seed000"](gold) for gold, _ in pairs]
    answers = [NORMALISERS["seed000"](answer) for _, answer in pairs]
    union = sorted({*golds, *answers})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = f1_score(golds, answers, labels=union, average="macro", zero_division=0)
    assert measured("macro_f1", pairs) == pytest.approx(expected)
    assert measured("accuracy", pairs) == pytest.approx(accuracy_score(golds, answers))


def test_macro_f1_by_hand() -> None:
    pairs = [("yes", "yes"), ("yes", "no"), ("no", "no"), ("lung", "heart")]
    # yes: 1 hit, 1 miss; no: 1 hit, 1 miss; lung: never found; heart: only ever predicted
    assert measured("macro_f1", pairs) == pytest.approx((2 / 3 + 2 / 3 + 0 + 0) / 4)


@pytest.mark.parametrize(
    ("gold", "answer", "expected"),
    [
        ("left lung", "lung", 2 / 3),
        ("Left Lung, Right", "right left", 4 / 5),
        ("lung", "lung lung", 2 / 3),  # a bag: the second "lung" finds no partner
        ("lung lung", "lung lung", 1),
        ("lung", "heart", 0),
        ("", "", 1),
        ("", "lung", 0),
        ("lung", "", 0),
        ("!?", "🙂", 1),  # both are empty after normalisation
    ],
)
def test_token_f1_by_hand(gold: str, answer: str, expected: float) -> None:
    assert measured("token_f1", [(gold, answer)]) == pytest.approx(expected)


def test_token_f1_splits_scripts_without_spaces_into_characters() -> None:
    assert measured("token_f1", [("左肺", "右肺")], "unicode") == pytest.approx(0.5)


@given(PAIRS)
def test_exact_match_is_accuracy_and_never_above_token_f1(pairs: list[tuple[str, str]]) -> None:
    assert measured("exact_match", pairs) == measured("accuracy", pairs)
    assert measured("exact_match", pairs) <= measured("token_f1", pairs) + 1e-12


@given(st.lists(st.text(), min_size=1, max_size=20), st.sampled_from(sorted(NORMALISERS)))
def test_answers_equal_to_the_gold_score_one(texts: list[str], normaliser: str) -> None:
    for name in ("accuracy", "exact_match", "macro_f1", "token_f1"):
        assert measured(name, [(text, text) for text in texts], normaliser) == pytest.approx(1)


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=20), st.sampled_from(sorted(NORMALISERS)))
def test_any_text_scores_between_zero_and_one(pairs: list[tuple[str, str]], normaliser: str) -> None:
    for name in ("accuracy", "exact_match", "macro_f1", "token_f1"):
        assert 0 <= measured(name, pairs, normaliser) <= 1


def test_top5_counts_the_first_five_candidates() -> None:
    fifth = ranked("lung", "a", "b", "c", "d", "Lung", "f")
    sixth = ranked("lung", "a", "b", "c", "d", "e", "lung")
    few = ranked("lung", "heart")
    assert top5(fifth) == 1
    assert top5(sixth) == 0
    assert top5(fifth, sixth, few, ranked("heart", "heart")) == pytest.approx(0.5)


def test_top5_is_undefined_without_candidates() -> None:
    assert top5(ranked("lung"), ranked("heart")) == "no candidates: the model ranks no answers"
    assert top5(ranked("lung"), ranked("lung", "lung")) == "1 of 2 predictions have no candidates"
