"""The paired numbers by hand, and the two models that the flag must tell apart."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from probing_parts import Known, by_brightness, sample

from radvqa.data.dataset import Problems
from radvqa.errors import RadvqaError
from radvqa.prediction import Prediction
from radvqa.probing.measure import accuracy_of, measure
from radvqa.probing.probe import PROBES, in_order
from radvqa.probing.prober import probe_model
from radvqa.report.probes import probe_warnings
from radvqa.sample import Sample
from radvqa.text import seed000


@pytest.fixture
def split(tmp_path: Path, fresh_cache: Path) -> list[Sample]:
    """Twenty pictures, half dark and half bright, with two questions each; the mean grey is 90."""
    samples = []
    for number in range(20):
        bright = number % 2 == 0
        first = sample(
            tmp_path,
            f"p{number:02d}",
            np.full((64, 64), 150 if bright else 30),
            answer="Yes" if bright else "No",
            organ=("Lung", "Liver")[number // 10],
            question="Is there a lot of light?",
        )
        samples += [first, replace(first, id=f"{first.id}b", question="Does the picture look bright?")]
    return samples


def found(result: dict[str, Any], name: str) -> dict[str, Any]:
    return next(probe for probe in result["probes"] if probe["name"] == name)


def test_a_model_that_reads_the_picture_is_not_flagged(split: list[Sample]) -> None:
    result = probe_model(Known(by_brightness), split).result
    assert result["original"] == {"accuracy": 1.0, "interval": (1.0, 1.0)}
    blank = found(result, "blank")
    # on the grey of 90 it always says no: right for every second picture
    assert (blank["n"], blank["accuracy_before"], blank["accuracy"]) == (40, 1.0, 0.5)
    assert (blank["drop"], blank["changed"]) == (0.5, 0.5)
    low, high = blank["drop_interval"]
    assert 0.2 < low < 0.5 < high < 0.8  # 20 clusters of equal items: standard error √(0.25 / 20) = 0.11
    assert result["looks_at_image"] is True
    assert not any("look at the image" in warning for warning in probe_warnings(result))


def test_a_model_that_ignores_the_picture_is_flagged(split: list[Sample]) -> None:
    result = probe_model(Known(lambda asked: "yes"), split).result
    for name in in_order():
        probe = found(result, name)
        if name in ("markers_covered", "borders_cut"):
            assert (probe["n"], probe["drop"]) == (0, None)  # plain pictures have neither
        elif PROBES[name].kind == "image":
            assert (probe["n"], probe["drop"], probe["changed"]) == (40, 0.0, 0.0)
    assert result["looks_at_image"] is False
    assert probe_warnings(result)[0].startswith(
        "This model is not shown to look at the image. Without the right picture"
    )


def test_a_model_that_only_stumbles_over_blank_pictures_is_flagged(split: list[Sample]) -> None:
    """A blank picture is like none of training; harm from it alone does not show that the others are looked at."""

    def startled(asked: Sample) -> str:
        return "?" if "blank" in asked.image else "yes"

    result = probe_model(Known(startled), split, only=["blank", "swapped_other_organ"]).result
    assert found(result, "blank")["drop_interval"][0] > 0
    assert result["looks_at_image"] is False
    (warning,) = probe_warnings(result)
    assert "wrong picture, other organ: 50.0 % instead of 50.0 %" in warning
    assert "blank" not in warning


def test_a_model_that_gains_on_blank_pictures_is_flagged(split: list[Sample]) -> None:
    def contrary(asked: Sample) -> str:
        return "yes" if "blank" in asked.image else {"yes": "no", "no": "yes"}[by_brightness(asked)]

    result = probe_model(Known(contrary), split, only=["blank"]).result
    assert found(result, "blank")["drop"] == -0.5
    assert result["looks_at_image"] is False


def test_negation_is_judged_by_the_opposite_answer(split: list[Sample]) -> None:
    def reads(asked: Sample) -> str:
        answer = by_brightness(asked)
        negative = any(word in asked.question.split() for word in ("no", "not"))
        return {"yes": "no", "no": "yes"}[answer] if negative else answer

    deaf = found(probe_model(Known(by_brightness), split).result, "negated")
    careful = found(probe_model(Known(reads), split).result, "negated")
    assert (deaf["n"], deaf["accuracy_before"], deaf["accuracy"], deaf["changed"]) == (40, 1.0, 0.0, 0.0)
    assert (careful["n"], careful["accuracy_before"], careful["accuracy"], careful["changed"]) == (40, 1.0, 1.0, 1.0)


def test_answers_are_kept_with_their_question_and_their_cluster(split: list[Sample]) -> None:
    probed = probe_model(Known(by_brightness), split, only=["negated", "blank"])
    assert list(probed.answers) == ["blank", "negated"]
    blank, negated = probed.answers["blank"][0], probed.answers["negated"][0]
    assert (blank.id, blank.image, blank.prediction, blank.answer) == ("p00", "p00.png", "no", "Yes")
    assert (negated.question, negated.answer, negated.prediction) == ("Is there no lot of light?", "No", "yes")


def test_a_written_answer_that_is_followed(split: list[Sample]) -> None:
    def gullible(asked: Sample) -> str:
        _, _, written = asked.image.partition("Answer: ")
        return written.rstrip(")") or by_brightness(asked)

    result = probe_model(Known(gullible), split, only=["injected_text"]).result
    probe = found(result, "injected_text")
    assert (probe["n"], probe["followed_before"], probe["followed"], probe["accuracy"]) == (40, 0.0, 1.0, 0.0)
    assert result["looks_at_image"] is None  # no probe that takes the picture away was asked
    (warning,) = probe_warnings(result)
    assert warning.startswith("A wrong answer written into the picture is followed")


def test_a_part_is_drawn_by_image_and_measured_against_its_own_answers(split: list[Sample]) -> None:
    model = Known(by_brightness)
    result = probe_model(model, split, only=["blank"], limit=3).result
    assert (result["questions"], result["images"], result["limit"]) == (6, 3, 3)
    again = Known(by_brightness)
    probe_model(again, list(reversed(split)), only=["blank"], limit=3)
    assert {s.image for s in again.asked[0]} == {s.image for s in model.asked[0]}
    assert found(result, "blank")["n"] == 6


def test_where_nothing_can_be_changed(tmp_path: Path, fresh_cache: Path) -> None:
    one = sample(tmp_path, "a", np.full((9, 9), 200), question="图?", answer="有", language="zh", organ="")
    result = probe_model(Known(by_brightness), [one]).result
    assert result["normaliser"] == "unicode"
    for name in ("negated", "paraphrased", "typos", "swapped_same_organ", "injected_text"):
        probe = found(result, name)
        assert (probe["n"], probe["accuracy"], probe["drop"], probe["drop_interval"]) == (0, None, None, None)
    assert found(result, "blank")["drop_interval"] is None  # one cluster
    assert result["looks_at_image"] is None


def test_twins_of_the_answers_as_they_are(tmp_path: Path, fresh_cache: Path) -> None:
    one = sample(tmp_path, "a", np.full((9, 9), 200), twin="b")
    two = sample(tmp_path, "b", np.full((9, 9), 20), twin="a", answer="No")
    twins = probe_model(Known(by_brightness), [one, two], only=["blank"]).result["twins"]
    assert (twins["pairs"], twins["both_right"], twins["same_answer"]) == (1, 1.0, 0.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"only": ["blnk"]}, "did you mean 'blank'"), ({"limit": 0}, "at least 1, found 0")],
)
def test_what_cannot_be_asked(arguments: dict[str, Any], message: str, split: list[Sample]) -> None:
    with pytest.raises(RadvqaError, match=message):
        probe_model(Known(by_brightness), split, **arguments)


def test_no_samples() -> None:
    with pytest.raises(RadvqaError, match="no samples to probe"):
        probe_model(Known(by_brightness), [], problems=Problems())


def answers(*texts: str, gold: Sequence[str] = ("yes", "no", "liver", "lung")) -> list[Prediction]:
    return [
        Prediction(f"q{i}", "?", right, text, "OPEN", image=f"image{i // 2}")
        for i, (text, right) in enumerate(zip(texts, gold, strict=False))
    ]


def test_paired_numbers_by_hand() -> None:
    before, after = answers("Yes", "no", "liver", "spleen"), answers("yes", "yes", "Lung", "lung")[1:]
    injected = {"q1": "Yes", "q2": "kidney", "q3": "spleen"}
    result = measure(before, after, injected, seed000)
    # of q1, q2, q3: right before yes, yes, no; after no, no, yes; all three answers are others
    assert (result["n"], result["clusters"]) == (3, 2)
    assert result["accuracy_before"] == pytest.approx(2 / 3, abs=1e-6)
    assert result["accuracy"] == pytest.approx(1 / 3, abs=1e-6)
    assert result["drop"] == pytest.approx(1 / 3, abs=1e-6)
    assert result["changed"] == 1.0
    assert result["followed_before"] == pytest.approx(1 / 3, abs=1e-6)  # q3 said spleen
    assert result["followed"] == pytest.approx(1 / 3, abs=1e-6)  # q1 says yes
    assert result["drop_interval"] == (0.0, 1.0)  # the drawn clusters are {q1} alone, {q2, q3} alone, or both
    assert "followed" not in measure(before, after, {}, seed000)


def test_another_spelling_is_no_other_answer() -> None:
    result = measure(answers("X-Ray", "No."), answers("xray", "no"), {}, seed000)
    assert (result["changed"], result["drop"]) == (0.0, 0.0)


def test_accuracy_and_its_interval() -> None:
    assert accuracy_of(answers("yes", "no", "x", "x"), seed000) == {"accuracy": 0.5, "interval": (0.0, 1.0)}
