"""BLEU and ROUGE against sacrebleu and rouge-score, and what they do where they are undefined."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU

from radvqa.prediction import Prediction
from radvqa.scoring.items import Items, items_of, per_pair
from radvqa.scoring.metric import METRICS, Undefined
from radvqa.scoring.metrics.overlap import Bleu
from radvqa.scoring.ngrams import bleu_counts, longest_common_subsequence
from radvqa.scoring.statistics import Mean, cluster_intervals, value
from radvqa.text import NORMALISERS

WORDS = st.lists(
    st.sampled_from(["the", "left", "Lung,", "is", "X-Ray", "T2-weighted", "1.5", "cm", "not", "&amp;", "左肺", "🙂"]),
    max_size=9,
).map(" ".join)
TEXTS = st.one_of(WORDS, st.text(max_size=20).filter(lambda text: "\x00" not in text))
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=12)

REALISTIC = [
    ("Left Lung", "left lung"),
    ("The lung is on the right side of the picture.", "the right side of the picture is the lung"),
    ("Lower left lobe of the lung, near the diaphragm", "in the lower left lobe"),
    ("Yes", "Yes, there is."),
    ("It can help the body to store urine.", "store urine"),
    ("2.5 cm", "2.5cm"),
    ("X-Ray", "x ray"),
    ("", "an answer"),
    ("pneumothorax", ""),
]


def items(pairs: list[tuple[str, str]]) -> Items:
    predictions = [Prediction(str(i), "?", gold, answer, "OPEN") for i, (gold, answer) in enumerate(pairs)]
    return items_of(predictions, NORMALISERS["seed000"])


def measured(name: str, pairs: list[tuple[str, str]]) -> float | None:
    statistic = METRICS[name].measure(items(pairs))
    return None if isinstance(statistic, Undefined) else value(statistic, len(pairs))


@cache
def reference(order: int) -> BLEU:
    return BLEU(lowercase=True, max_ngram_order=order)


def sacre(order: int, pairs: list[tuple[str, str]]) -> Any:
    golds, answers = [gold for gold, _ in pairs], [answer for _, answer in pairs]
    return reference(order).corpus_score(answers, [golds])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@given(PAIRS)
def test_bleu_equals_sacrebleu_wherever_there_is_something_to_count(order: int, pairs: list[tuple[str, str]]) -> None:
    score, reversed_score = sacre(order, pairs), sacre(order, [(answer, gold) for gold, answer in pairs])
    expected = score.score / 100 if score.totals[-1] and reversed_score.totals[-1] else None
    assert measured(f"bleu{order}", pairs) == (None if expected is None else pytest.approx(expected, abs=1e-9))


def test_bleu_equals_sacrebleus_own_function_on_answers_of_many_lengths() -> None:
    golds, answers = map(list, zip(*REALISTIC, strict=True))
    expected = sacrebleu.corpus_bleu(answers, [golds], lowercase=True).score / 100
    assert 0 < expected < 1
    assert measured("bleu4", REALISTIC) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["rouge1", "rouge2", "rougeL"])
@given(PAIRS)
def test_rouge_equals_rouge_score_where_the_gold_has_words(name: str, pairs: list[tuple[str, str]]) -> None:
    scorer = RougeScorer([name], use_stemmer=False)
    itself = [scorer.score(gold, gold)[name].fmeasure for gold, _ in pairs]
    expected = [scorer.score(*pair)[name].fmeasure for pair, own in zip(pairs, itself, strict=True) if own]
    assert measured(name, pairs) == (pytest.approx(np.mean(expected), abs=1e-9) if expected else None)


def test_rouge_leaves_out_items_whose_gold_has_no_such_n_gram() -> None:
    statistic = METRICS["rouge2"].measure(items([("lung", "lung"), ("left lung", "the left lung"), ("左肺", "左肺")]))
    assert isinstance(statistic, Mean)
    np.testing.assert_allclose(statistic.values, [np.nan, 2 * 1 / (1 + 2), np.nan])


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_perfect_answers_score_one_or_are_undefined(texts: list[str]) -> None:
    for name in ("bleu1", "bleu2", "bleu3", "bleu4", "rouge1", "rouge2", "rougeL"):
        assert measured(name, [(text, text) for text in texts]) in (None, pytest.approx(1.0)), name


@pytest.mark.parametrize(
    ("name", "pairs", "reason"),
    [
        ("bleu1", [("", "lung")], "no gold answer has a word, so there is nothing for BLEU-1 to count"),
        ("bleu2", [("lung", "the left lung")], "no gold answer has 2 words, so there is nothing for BLEU-2 to count"),
        ("bleu3", [("the left lung", "lung")], "no prediction has 3 words, so there is nothing for BLEU-3 to count"),
        ("rouge1", [("左肺", "左肺")], "no gold answer has a Latin letter or digit"),
        ("rouge2", [("lung", "left lung")], "no gold answer has two words of Latin letters or digits"),
    ],
)
def test_what_is_undefined_says_why(name: str, pairs: list[tuple[str, str]], reason: str) -> None:
    statistic = METRICS[name].measure(items(pairs))
    assert isinstance(statistic, Undefined)
    assert statistic.reason == reason


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@given(data=st.data())
def test_combined_totals_equal_sacrebleus_computation(order: int, data: st.DataObject) -> None:
    drawn = data.draw(
        st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=4, max_size=4), min_size=1)
    )
    columns = []
    expected = []
    for orders in drawn:
        matches = [hit for hit, _ in orders[:order]]
        grams = [hit + miss + 1 for hit, miss in orders[:order]]
        given_words, gold_words = grams[0] + 3, sum(grams) + 1
        columns.append([*matches, *grams, given_words, gold_words, 1])
        score = BLEU.compute_bleu(
            list(matches), list(grams), given_words, gold_words, smooth_method="exp", max_ngram_order=order
        )
        expected.append(score.score / 100)
    statistic = Bleu(np.zeros((0, 10)), order)
    np.testing.assert_allclose(statistic.combine(np.array(columns, dtype=float).T), expected, rtol=0, atol=1e-9)


def test_a_resample_equals_bleu_of_the_drawn_items() -> None:
    """The bootstrap adds up counts; scoring the drawn items anew gives the same."""
    statistic = METRICS["bleu2"].measure(items(REALISTIC))
    assert not isinstance(statistic, Undefined)
    totals = statistic.totals(np.arange(len(REALISTIC)), len(REALISTIC))
    draws = np.random.default_rng(0).integers(0, len(REALISTIC), (20, len(REALISTIC)))
    counts = np.stack([np.bincount(draw, minlength=len(REALISTIC)) for draw in draws]).astype(float)
    expected = [sacre(2, [REALISTIC[row] for row in draw]).score / 100 for draw in draws]
    np.testing.assert_allclose(statistic.combine(totals @ counts.T), expected, atol=1e-12)


def test_the_interval_holds_the_value() -> None:
    pairs = REALISTIC * 5
    statistic = METRICS["bleu4"].measure(items(pairs))
    assert not isinstance(statistic, Undefined)
    interval = cluster_intervals({"bleu4": statistic}, np.arange(len(pairs)), resamples=200)["bleu4"]
    assert interval is not None
    assert interval[0] < value(statistic, len(pairs)) < interval[1]


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
def test_longest_common_subsequence_equals_the_table(one: list[str], other: list[str]) -> None:
    table = np.zeros((len(one) + 1, len(other) + 1), dtype=int)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            table[i + 1, j + 1] = table[i, j] + 1 if a == b else max(table[i, j + 1], table[i + 1, j])
    assert longest_common_subsequence(one, other) == table[-1, -1]


def test_a_missing_prediction_counts_as_an_empty_one() -> None:
    absent = Prediction("1", "?", "left lung", "", "OPEN", missing=True)
    given_items = items_of([absent, Prediction("2", "?", "heart", "heart", "OPEN")], NORMALISERS["seed000"])
    expected = [bleu_counts("left lung", ""), bleu_counts("heart", "heart")]
    np.testing.assert_array_equal(per_pair(given_items, bleu_counts, raw=True), expected)


def test_a_megabyte_of_words_is_counted() -> None:
    long = "left lung " * 100_000
    assert measured("rougeL", [("left lung", long), (long, long)]) == pytest.approx((4 / 200_002 + 1) / 2)
    assert measured("bleu4", [("the left lung left lung", long)]) == pytest.approx(
        sacre(4, [("the left lung left lung", long)]).score / 100
    )
