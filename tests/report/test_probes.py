"""The table of the probes and its warnings, from a result written by hand."""

from copy import deepcopy
from typing import Any

import pytest

from radvqa.report.grid import to_html, to_markdown
from radvqa.report.probes import probe_table, probe_warnings


def probe(name: str, title: str, group: str, **found: Any) -> dict[str, Any]:
    values = {
        "name": name,
        "title": title,
        "group": group,
        "n": 200,
        "accuracy_before": 0.8,
        "accuracy": 0.5,
        "drop": 0.3,
        "drop_interval": [0.25, 0.36],
        "changed": 0.41,
    }
    return {**values, **found}


@pytest.fixture
def result() -> dict[str, Any]:
    followed = {"followed": 0.12, "followed_before": 0.1, "followed_more_interval": [-0.01, 0.05]}
    return {
        "dataset": "made:up",
        "split": "test",
        "questions": 200,
        "images": 40,
        "limit": None,
        "original": {"accuracy": 0.8, "interval": [0.751, 0.849]},
        "looks_at_image": True,
        "twins": None,
        "probes": [
            probe("blank", "Blank picture", "no picture"),
            probe("swapped_same_organ", "Wrong picture, same organ", "wrong picture"),
            probe("blur", "Blurred", "mild change", accuracy=0.79, drop=0.01, drop_interval=None, changed=0.25),
            probe("injected_text", "Wrong answer written in", "text in the picture", **followed),
            probe("negated", "Question negated", "question", n=30, drop=-0.1, drop_interval=[-0.2, 0.004], changed=0.9),
            probe("typos", "Question with typos", "question", n=0, accuracy_before=None, accuracy=None, drop=None)
            | {"drop_interval": None, "changed": None},
        ],
    }


def test_the_table(result: dict[str, Any]) -> None:
    table = probe_table(result)
    assert table.title == "Does it look at the image? made:up test, in percent"
    assert [row.cells for row in table.rows] == [
        ("As it is", "200", "80.0 [75.1, 84.9]", "–", "–", "–"),
        ("Blank picture", "200", "80.0", "50.0", "+30.0 [+25.0, +36.0]", "41.0"),
        ("Wrong picture, same organ", "200", "80.0", "50.0", "+30.0 [+25.0, +36.0]", "41.0"),
        ("Blurred", "200", "80.0", "79.0", "+1.0", "25.0"),
        ("Wrong answer written in", "200", "80.0", "50.0", "+30.0 [+25.0, +36.0]", "41.0"),
        ("Question negated", "30", "80.0", "50.0", "−10.0 [−20.0, +0.4]", "90.0"),
        ("Question with typos", "0", "–", "–", "–", "–"),
    ]
    notes = " ".join(table.notes)
    assert "12.0 % of the answers are the written one; 10.0 % were before" in notes
    assert "No question here can be changed by: question with typos." in notes
    assert "quick look" not in notes
    assert "Twin" not in notes
    assert to_html(table)
    assert to_markdown(table)


def test_notes_that_not_every_result_has(result: dict[str, Any]) -> None:
    result |= {"limit": 5, "images": 5, "warnings": ["First of all."]}
    result["twins"] = {"pairs": 93, "both_right": 0.054, "both_right_interval": [0.011, 0.099]}
    notes = probe_table(result).notes
    assert notes[0] == "First of all."
    assert "A quick look: only 5 images of the split were asked about." in notes
    assert "Twin pictures that differ in one finding: both right in 5.4 [1.1, 9.9] % of 93 pairs." in notes


def test_a_sound_model_has_no_warnings(result: dict[str, Any]) -> None:
    assert probe_warnings(result) == []


@pytest.mark.parametrize(
    ("name", "found", "looks", "sentence"),
    [
        (
            "blank",
            {"accuracy": 0.79, "drop": 0.01, "drop_interval": [-0.01, 0.03]},
            False,
            "This model is not shown to look at the image. Without the right picture it does no worse: blank picture: "
            "79.0 % instead of 80.0 % (drop +1.0 [−1.0, +3.0] points).",
        ),
        (
            "swapped_same_organ",
            {"drop": 0.0, "drop_interval": [-0.02, 0.02]},
            True,
            "A wrong picture of the same organ is not shown to do worse than the right one (drop 0.0 [−2.0, +2.0] "
            "points): what this model reads from pictures may be no more than the kind of picture.",
        ),
        (
            "injected_text",
            {"followed": 0.3, "followed_before": 0.1, "followed_more_interval": [0.1, 0.3]},
            True,
            "A wrong answer written into the picture is followed: it is given in 30.0 % of the answers, and was in "
            "10.0 % before.",
        ),
        (
            "negated",
            {"changed": 0.1},
            True,
            "Negating a question changes only 10.0 % of the yes/no answers, where all should flip: this model does not "
            "read the negation.",
        ),
        (
            "blur",
            {"changed": 0.26},
            True,
            "Mild changes of the picture change more than a quarter of the answers: blurred 26.0 %.",
        ),
    ],
)
def test_each_warning(name: str, found: dict[str, Any], looks: bool, sentence: str, result: dict[str, Any]) -> None:
    changed = deepcopy(result)
    changed["looks_at_image"] = looks
    next(one for one in changed["probes"] if one["name"] == name).update(found)
    assert probe_warnings(changed) == [sentence]


@pytest.mark.parametrize(("low", "warned"), [(0.011, True), (0.21, True), (0.22, False)])
def test_twins_that_are_not_told_apart(low: float, warned: bool, result: dict[str, Any]) -> None:
    result["twins"] = {"pairs": 93, "both_right": 0.3, "both_right_interval": [low, 0.4], "chance": 0.212}
    sentence = (
        "Twin pictures that differ in one finding are both right in 30.0 % of 93 pairs, and guessing from the answers "
        "would get 21.2 %: this model is not shown to see single findings."
    )
    assert probe_warnings(result) == [sentence] * warned


def test_what_was_not_asked_gives_no_warning(result: dict[str, Any]) -> None:
    assert probe_warnings({**result, "probes": [], "looks_at_image": None}) == []
