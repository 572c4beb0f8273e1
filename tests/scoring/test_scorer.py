"""The whole score: its shape, its sums, and what it does with odd input."""

import json
import math
import random
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radvqa.errors import DataError
from radvqa.prediction import Prediction
from radvqa.scoring.metric import METRICS
from radvqa.scoring.scorer import score

Row = tuple[str, str, Literal["OPEN", "CLOSED"], str, str]
ANSWERS = st.sampled_from(["yes", "No", "lung", "left lung", "", "🙂", "رئة"])
ROWS = st.lists(
    st.tuples(
        ANSWERS, ANSWERS, st.sampled_from(["OPEN", "CLOSED"]), st.sampled_from("abcd"), st.sampled_from(["", "X"])
    ),
    min_size=1,
    max_size=25,
)


def made(rows: list[Row]) -> list[Prediction]:
    return [
        Prediction(f"{i:03}", "?", gold, answer, kind, question_type=question_type, image=image)
        for i, (gold, answer, kind, image, question_type) in enumerate(rows)
    ]


def ordinary(n: int, seed: int = 0) -> list[Prediction]:
    """Ten questions an image, two in three answered well."""
    dice = random.Random(seed)
    golds = ["yes", "no", "lung", "left lung", "liver"]
    return [
        Prediction(
            f"q{i:06}",
            f"question {i % 30}",
            gold := dice.choice(golds),
            gold if dice.random() < 2 / 3 else dice.choice(golds),
            "CLOSED" if gold in ("yes", "no") else "OPEN",
            question_type=dice.choice(["Organ", "Plane"]),
            image=f"image{i // 10}",
            answer_seen=True,
            confidence=0.5,
            candidates=tuple((answer, 0.2) for answer in dice.sample(golds, 3)),
        )
        for i in range(n)
    ]


def numbers(value: Any) -> list[float]:
    """Return every number of a JSON value."""
    if isinstance(value, dict):
        return [n for v in value.values() for n in numbers(v)]
    if isinstance(value, list):
        return [n for v in value for n in numbers(v)]
    return [value] if isinstance(value, int | float) else []


def test_a_score_by_hand() -> None:
    predictions = made(
        [
            ("Yes", "yes", "CLOSED", "a", "Organ"),
            ("No", "yes", "CLOSED", "a", "Organ"),
            ("left lung", "lung", "OPEN", "b", "Plane"),
            ("Liver", "liver!", "OPEN", "c", ""),
        ]
    )
    predictions = [replace(p, answer_seen=p.answer != "left lung") for p in predictions]
    always_yes = {p.id: "yes" for p in predictions}
    scores = score(predictions, baselines={"always_yes": always_yes}, dataset="made:up", split="test", resamples=100)
    overall = scores["subsets"]["overall"]
    assert scores["questions"] == 4
    assert scores["clusters"] == 3
    assert scores["clustered_by"] == "image"
    assert scores["interval"] == "95 % cluster bootstrap, 100 resamples"
    assert overall["n"] == 4
    assert overall["accuracy"] == overall["exact_match"] == 0.5
    assert overall["token_f1"] == pytest.approx((1 + 0 + 2 / 3 + 1) / 4, abs=1e-6)
    assert overall["macro_f1"] == pytest.approx(
        (2 / 3 + 0 + 0 + 0 + 1) / 5, abs=1e-6
    )  # yes, no, left lung, lung, liver
    assert overall["top5"] is None
    assert scores["undefined"]["top5"].startswith("no candidates")
    assert scores["subsets"]["open"]["accuracy"] == scores["subsets"]["closed"]["accuracy"] == 0.5
    kinds = scores["slices"]["question_type"]
    assert {kind: part["n"] for kind, part in kinds.items()} == {"Organ": 2, "Plane": 1}
    assert kinds["Organ"]["accuracy"] == 0.5
    assert scores["classes"][0] == {"answer": "left lung", "n": 1, "correct": 0, "training_count": None}
    assert overall["accuracy_standard_error"] == pytest.approx((1.5 * (0 + 0.25 + 0.25)) ** 0.5 / 4, abs=1e-6)
    assert scores["baselines"]["always_yes"]["overall"]["accuracy"] == 0.25
    assert scores["baselines"]["always_yes"]["closed"]["accuracy"] == 0.5
    assert scores["baselines"]["always_yes"]["open"]["accuracy"] == 0
    assert scores["unseen_answers"] == {"overall": 1, "open": 1, "closed": 0, "ceiling": 0.75}
    assert scores["twins"] is None
    assert scores["published"] == []


@given(ROWS)
def test_subsets_add_up_and_nothing_is_nan(rows: list[Row]) -> None:
    scores = score(made(rows), resamples=20)
    json.dumps(scores, allow_nan=False)
    subsets = scores["subsets"]
    parts = [subsets[subset] for subset in ("open", "closed") if subset in subsets]
    assert sum(part["n"] for part in parts) == subsets["overall"]["n"] == len(rows)
    for name in ("accuracy", "exact_match", "token_f1"):
        mean = sum(part["n"] * part[name] for part in parts) / len(rows)
        assert subsets["overall"][name] == pytest.approx(mean, abs=2e-6)


@given(ROWS, st.randoms())
def test_order_does_not_matter(rows: list[Row], dice: random.Random) -> None:
    predictions = made(rows)
    shuffled = predictions[:]
    dice.shuffle(shuffled)
    assert score(shuffled, resamples=20) == score(predictions, resamples=20)


def test_a_subset_has_the_values_that_it_would_have_alone() -> None:
    predictions = ordinary(300)
    together = score(predictions, resamples=200)["subsets"]["open"]
    alone = score([p for p in predictions if p.answer_type == "OPEN"], resamples=200)
    assert "closed" not in alone["subsets"]
    for name, number in alone["subsets"]["overall"].items():
        if name.endswith("_interval"):  # drawn together with the others, so other draws
            assert together[name] == pytest.approx(number, abs=0.06)
        else:
            assert together[name] == pytest.approx(number)


def test_intervals_hold_the_value_in_ordinary_cases() -> None:
    for seed in range(5):
        for part in score(ordinary(400, seed), resamples=300)["subsets"].values():
            for name in ("accuracy", "exact_match", "token_f1", "top5"):
                lower, upper = part[f"{name}_interval"]
                assert 0 <= lower < part[name] < upper <= 1


def test_every_metric_is_reported_with_an_interval_and_baselines_with_their_accuracy_only() -> None:
    predictions = ordinary(100)
    scores = score(predictions, baselines={"first": {p.id: "yes" for p in predictions}}, resamples=20)
    for name in METRICS:
        assert {name, f"{name}_interval"} <= set(scores["subsets"]["overall"])
    assert scores["baselines"]["first"]["overall"]["accuracy_interval"] is not None
    assert scores["baselines"]["first"]["overall"]["top5"] is None
    assert "top5" not in scores["undefined"]  # which speaks of the model


def test_one_image_has_no_interval() -> None:
    scores = score(made([("yes", "yes", "CLOSED", "a", ""), ("no", "yes", "CLOSED", "a", "")]), resamples=20)
    assert scores["subsets"]["overall"]["accuracy"] == 0.5
    assert scores["subsets"]["overall"]["accuracy_interval"] is None
    assert "fewer than two clusters" in scores["undefined"]["interval"]


def test_the_case_is_the_cluster_where_it_is_known() -> None:
    predictions = [replace(p, case=f"case{int(p.image[5:]) // 4}") for p in ordinary(400)]
    scores = score(predictions, resamples=20)
    assert scores["clustered_by"] == "case"
    assert scores["clusters"] == 10  # forty images, four a case


def test_without_images_each_question_is_a_cluster_and_a_note_says_so() -> None:
    predictions = [replace(p, image="") for p in ordinary(50)]
    scores = score(predictions, resamples=20)
    assert scores["clusters"] == 50
    assert scores["clustered_by"] == "question"
    assert "50 predictions name no image" in scores["notes"][0]


def test_golds_that_the_normaliser_empties_are_noted() -> None:
    scores = score(made([("رئة", "🙂", "OPEN", "a", ""), ("lung", "lung", "OPEN", "b", "")]), resamples=20)
    assert scores["subsets"]["overall"]["accuracy"] == 1
    assert "1 gold answers are empty" in scores["notes"][0]


def test_the_normaliser_follows_the_language() -> None:
    english, chinese = (
        Prediction("1", "?", "yes", "yes", "CLOSED"),
        Prediction("2", "?", "是", "是", "CLOSED", language="zh"),
    )
    assert score([english], resamples=1)["normaliser"] == "seed000"
    assert score([chinese], resamples=1)["normaliser"] == "unicode"
    assert score([english, chinese], resamples=1)["normaliser"] == "unicode"
    assert score([chinese], normaliser="seed000", resamples=1)["normaliser"] == "seed000"


def test_unknown_is_not_zero_unseen() -> None:
    assert score(made([("yes", "yes", "CLOSED", "a", "")]), resamples=1)["unseen_answers"] is None


def test_twins_are_scored() -> None:
    predictions = [
        Prediction("a", "Nodule?", "yes", "yes", "CLOSED", image="a", twin="b"),
        Prediction("b", "Nodule?", "no", "no", "CLOSED", image="b", twin="a"),
    ]
    assert score(predictions, resamples=10)["twins"]["both_right"] == 1


def test_published_rows_are_listed_for_the_data_set() -> None:
    rows = score(ordinary(20), dataset="slake:en", split="test", resamples=10)["published"]
    assert {"method", "value_percent", "subset", "protocol", "source", "comparable", "why"} <= set(rows[0])


def test_not_a_number_in_the_input_does_not_reach_the_scores() -> None:
    nan = float("nan")
    predictions = [replace(p, confidence=nan, candidates=(("yes", nan),)) for p in ordinary(30)]
    assert all(math.isfinite(n) for n in numbers(score(predictions, resamples=10)))


def test_bad_input_is_refused() -> None:
    predictions = ordinary(3)
    with pytest.raises(DataError, match="no predictions"):
        score([])
    with pytest.raises(DataError, match="'q000001' is used by two"):
        score([*predictions, predictions[1]])
    with pytest.raises(DataError, match="baseline 'yes' has no answer to 'q000002'"):
        score(predictions, baselines={"yes": {"q000000": "yes", "q000001": "yes"}})
    with pytest.raises(DataError, match="did you mean 'unicode'"):
        score(predictions, normaliser="unicod")


def test_a_missing_prediction_is_wrong_under_every_metric_and_rule_and_said() -> None:
    predictions = [replace(p, prediction="", missing=True, candidates=()) for p in ordinary(20)]
    scores = score(predictions, resamples=10)
    assert scores["missing"] == 20
    assert "20 of 20 questions have no prediction" in scores["notes"][0]
    for part in scores["subsets"].values():
        assert part["accuracy"] == part["token_f1"] == part["containment"] == 0
    assert all(parts["overall"]["value"] == 0 for parts in scores["rules"].values())


def test_a_missing_prediction_does_not_equal_a_gold_that_normalises_to_nothing() -> None:
    [prediction] = made([("🙂", "", "OPEN", "a", "")])
    assert score([prediction], resamples=1)["subsets"]["overall"]["accuracy"] == 1
    assert score([replace(prediction, missing=True)], resamples=1)["subsets"]["overall"]["accuracy"] == 0


def test_slices_cut_by_what_is_known_and_their_weighted_mean_is_the_whole() -> None:
    predictions = [
        replace(p, organ="Lung" if row % 3 else "Liver", question_seen=row % 2 == 0, answer_count=row)
        for row, p in enumerate(ordinary(200))
    ]
    scores = score(predictions, resamples=20)
    assert set(scores["slices"]) == {
        "question_type",
        "answer_type",
        "organ",
        "answer_length",
        "question_seen",
        "answer_frequency",
    }
    assert set(scores["slices"]["answer_frequency"]) == {
        "never in training",
        "1 to 9 times",
        "10 to 99 times",
        "100 times or more",
    }
    for parts in scores["slices"].values():
        assert sum(part["n"] for part in parts.values()) == 200
        mean = sum(part["n"] * part["accuracy"] for part in parts.values()) / 200
        assert mean == pytest.approx(scores["subsets"]["overall"]["accuracy"], abs=2e-6)


def test_rules_are_applied_by_name() -> None:
    predictions = made([("Lung", "the lung", "OPEN", "a", ""), ("Yes", "Yes", "CLOSED", "b", "")])
    scores = score(predictions, rules=["seed000", "evalscope"], resamples=10)
    assert {rule: parts["overall"]["value"] for rule, parts in scores["rules"].items()} == {
        "seed000": 0.5,
        "evalscope": 1.0,
    }
    with pytest.raises(DataError, match="did you mean 'evalscope'"):
        score(predictions, rules=["evalscop"])


def test_the_echo_baseline_gives_the_question_as_the_answer() -> None:
    predictions = [replace(p, question=p.answer) for p in ordinary(30)]
    assert score(predictions, resamples=10)["baselines"]["echo_question"]["overall"]["accuracy"] == 1
