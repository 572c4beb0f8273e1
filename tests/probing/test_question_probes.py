"""What each probe of questions makes of them."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from probing_parts import applied, sample

from radvqa.probing.probe import PROBES, in_order
from radvqa.probing.probes.negated import negate, opposite_answer
from radvqa.probing.probes.paraphrased import paraphrase
from radvqa.probing.probes.typos import mistype
from radvqa.sample import Sample


@pytest.mark.parametrize(
    ("question", "other_words"),
    [
        ("What modality is used to take this image?", "Which imaging modality was used for this image?"),
        ("Which imaging modality was used for this image?", "What modality is used to take this image?"),
        ("What imaging modality is used?", "What modality is used to take this image?"),
        ("What is the scanning plane of this image?", "In which plane was this image taken?"),
        ("In what plane is this image scanned?", "What is the scanning plane of this image?"),
        ("Is this image taken via X-Ray?", "Was X-Ray used to take this image?"),
        (
            "Which part of the body does this image belong to?",
            "What part of the body is shown in this image?",
        ),
        ("Does the picture contain liver?", "Can liver be seen in the picture?"),
        ("Can the spleen be seen in this image?", "Does this image show the spleen?"),
        (
            "Can nodule be observed on the lower left lung in this picture?",
            "Does this image show nodule on the lower left lung?",
        ),
        ("Does the trachea exist in this picture?", "Can the trachea be seen in this image?"),
        ("Is there a nodule in this image?", "Does this image show a nodule?"),
        ("Is/Are there abnormalities in this image?", "Does this image show abnormalities?"),
        (
            "Are there organs in the picture that can digest food?",
            "Does this image show organs that can digest food?",
        ),
        ("is there brain edema", "Does this image show brain edema?"),
        ("Does the patient have a lesion?", "Is there a lesion in the patient?"),
        ("Is the lung healthy?", "Would you call the lung healthy?"),
        ("Does this image look normal?", "Would you call this image normal?"),
        ("Is the esophagus visible?", "Can the esophagus be seen?"),
        ("Is this a CT scan?", "Would you say that this is a CT scan?"),
        ("What is the largest organ in the picture?", "Which organ is the largest in the picture?"),
        ("How many kidneys are there in this image?", "What is the number of kidneys in this image?"),
        ("Where is/are the abnormality located?", "What is the location of the abnormality?"),
        ("What is the location of the mass?", "Where is the mass located?"),
        ("What color is the lung?", "Which color does the lung have?"),
        ("What organ system is pictured?", "Which organ system is pictured?"),
        ("Which organ is abnormal, heart or lung?", "What organ is abnormal, heart or lung?"),
        (
            "What is the function of the main organ in this picture?",
            "What is the function of the main organ in this image?",
        ),
        ("Is the lesion cystic or solid?", "Please answer this question: Is the lesion cystic or solid?"),
        ("Where is there free air?", "Please answer this question: Where is there free air?"),
    ],
)
def test_questions_in_other_words(question: str, other_words: str) -> None:
    assert paraphrase(question) == other_words


@given(st.text(max_size=60))
def test_every_question_changes_and_ends_as_one(question: str) -> None:
    said = paraphrase(question)
    assert said.rstrip("?") != " ".join(question.split()).rstrip(" ?.")
    assert said.endswith("?")


@pytest.mark.parametrize(
    ("question", "opposite"),
    [
        ("Is there a nodule in this image?", "Is there no nodule in this image?"),
        ("Are there any skull fractures?", "Are there no skull fractures?"),
        ("is there brain edema", "is there no brain edema?"),
        ("Does the picture contain liver?", "Does the picture contain no liver?"),
        ("Does the patient have a lesion ?", "Does the patient have no lesion?"),
        (
            "Does the picture contain the organ which stores urine?",
            "Does the picture not contain the organ which stores urine?",
        ),
        ("Do any of the organs belong to the nervous system?", "Do none of the organs belong to the nervous system?"),
        ("Can pneumonia be observed on the right lung?", "Can pneumonia not be observed on the right lung?"),
        ("Does the lung look abnormal?", "Does the lung not look abnormal?"),
        ("Is the lung healthy?", "Is the lung not healthy?"),
        ("Are the borders of the heart clearly visualized?", "Are the borders of the heart not clearly visualized?"),
        ("Is this a CT scan?", "Is this something other than a CT scan?"),
        ("Is this image taken via CT?", "Is this image not taken via CT?"),
        # not one of the forms, negated already, or unclear what "not" would deny
        ("Evidence of hemorrhage?", ""),
        ("Is anything not normal in the image?", ""),
        ("Is there no mass?", ""),
        ("Is the lesion round or oval?", ""),
        ("Is there more than one lesion?", ""),
        ("Are nodules present in both lungs?", ""),
        ("Is the mediastinum wider than normal?", ""),
    ],
)
def test_questions_turned_into_their_opposite(question: str, opposite: str) -> None:
    assert negate(question) == opposite


@pytest.mark.parametrize(
    ("answer", "opposite"), [("Yes", "No"), ("no", "yes"), ("yes.", "no"), ("liver", ""), ("", "")]
)
def test_the_gold_flips(answer: str, opposite: str) -> None:
    assert opposite_answer(answer) == opposite


@given(st.text(max_size=60))
def test_nothing_is_negated_twice(question: str) -> None:
    once = negate(question)
    assert not once or negate(once) == ""


def near(word: str) -> set[str]:
    """Every word that one slip behind the first letter makes."""
    dropped = {word[:i] + word[i + 1 :] for i in range(1, len(word))}
    return dropped | {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(1, len(word) - 1)}


@given(st.lists(st.text("abcdeXY", min_size=1, max_size=9), min_size=1, max_size=8), st.text(max_size=5))
def test_typos_are_one_slip_in_one_or_two_long_words(words: list[str], seed: str) -> None:
    question = " ".join(words)
    typed = mistype(question, seed).split(" ")
    assert len(typed) == len(words)
    changed = [(old, new) for old, new in zip(words, typed, strict=True) if old != new]
    long = sum(len(word) >= 5 for word in words)
    assert min(1, long) <= len(changed) <= min(2, long)
    assert all(len(old) >= 5 and new in near(old) for old, new in changed)


def test_typos_follow_the_id() -> None:
    question = "Does the picture contain the liver or the spleen?"
    typed = {mistype(question, f"sample {i}") for i in range(40)}
    assert len(typed) > 20
    assert mistype(question, "sample 1") == mistype(question, "sample 1")


@pytest.fixture
def asked(tmp_path: Path) -> list[Sample]:
    pixels = np.full((9, 9), 5)
    return [
        sample(tmp_path, "yes", pixels, question="Is there a nodule?"),
        sample(tmp_path, "open", pixels, question="Is there a nodule?", answer="two", answer_type="OPEN"),
        sample(tmp_path, "other", pixels, question="Was it so?", answer="No"),
        sample(tmp_path, "zh", pixels, question="图中有肝脏吗?", answer="有", language="zh"),
    ]


@pytest.mark.parametrize(
    ("name", "applies"),
    [("negated", ["yes"]), ("paraphrased", ["yes", "open", "other"]), ("typos", ["yes", "open"])],
)
def test_what_does_not_apply_is_left_out(name: str, applies: list[str], asked: list[Sample], tmp_path: Path) -> None:
    assert [one.sample.id for one in applied(name, asked, tmp_path)] == applies


@pytest.mark.parametrize("name", [name for name in in_order() if PROBES[name].kind == "question"])
def test_only_the_question_changes(name: str, asked: list[Sample], tmp_path: Path) -> None:
    known = {one.id: one for one in asked}
    for one in applied(name, asked, tmp_path):
        original = known[one.sample.id]
        assert one.sample.question != original.question
        assert (one.sample.answer != original.answer) == (name == "negated")
        assert replace(one.sample, question=original.question, answer=original.answer) == original
        assert re.search(r"\S", one.sample.question)
