"""Measuring the starter model: shares and areas by hand, sets that are absent, and the layout of page and card."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from tiny_starter import tiny

import miniature
from radvqa.commands import starter_check, starter_pictures
from radvqa.commands.starter_check import auroc, check_starter, measured
from radvqa.commands.starter_pictures import SETS, Pictures, held_out, sampled
from radvqa.data import registry
from radvqa.errors import RadvqaError
from radvqa.report.starter import CARD_HEADER, HEADER, answers_table, gate_table
from radvqa.starter.confidence import Confidence
from radvqa.starter.model import Starter

ROOT = Path(__file__).parents[2]
DRAWN = ("phantom", "blank", "noise", "text")


@pytest.fixture(scope="module")
def tiny_starter(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return tiny(tmp_path_factory)


@pytest.fixture
def place(tiny_starter: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(tiny_starter[1]))
    return tiny_starter[0]


@pytest.fixture(scope="module")
def checked(
    tiny_starter: tuple[Path, Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Path]:
    """What was measured of the tiny model, and the folder of what was written."""
    folder = tmp_path_factory.mktemp("checked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RADVQA_DATA", str(tiny_starter[1]))
        found = check_starter(
            pictures=10,
            test=True,
            out=folder / "check.json",
            markdown=folder / "starter.md",
            card=folder / "CARD.md",
            path=tiny_starter[0],
        )
    return found, folder


def test_everything_is_measured_and_absent_data_is_named(checked: tuple[dict[str, Any], Path]) -> None:
    found, folder = checked
    assert json.loads((folder / "check.json").read_text()) == found
    assert [(row["name"], row["split"], row["questions"], row["pictures"]) for row in found["answers"]] == [
        ("slake:en", "validate", 12, 3),
        ("slake:en", "test", 12, 3),
    ]
    assert [(row["name"], row["pictures"]) for row in found["gate"]] == [("slake", 3), *((name, 10) for name in DRAWN)]
    assert found["left_out"] == [
        *("vqa_rad", "medpix2", "mednist", "daquar", "daquar in grey", "path_vqa", "path_vqa in grey")
    ]
    gate = {row["name"]: row for row in found["gate"]}
    assert gate["slake"]["passed"] == 1
    assert gate["slake"]["auroc_from_slake"] == 0.5
    assert gate["noise"]["auroc_from_others"] is None  # nothing of another hospital is there


def test_the_test_questions_are_answered_once(place: Path, tmp_path: Path) -> None:
    with pytest.raises(RadvqaError, match="name the file that keeps the result with --out"):
        check_starter(test=True, path=place)
    (tmp_path / "check.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RadvqaError, match="the test split was answered already"):
        check_starter(test=True, out=tmp_path / "check.json", path=place)


def test_without_slake_nothing_is_measured(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RADVQA_DATA")
    with pytest.raises(RadvqaError, match="RADVQA_DATA"):
        check_starter(path=place)


def test_what_is_answered_and_right_is_counted(place: Path) -> None:
    starter, samples = Starter.load(place), registry.load_split("slake:en", "validate")
    said = [starter.answer(sample.image_path, sample.question) for sample in samples]
    right = [s.answer.lower() == sample.answer.lower() for s, sample in zip(said, samples, strict=True)]
    middle = float(np.median([s.confidence for s in said]))
    starter.confidence = Confidence(starter.confidence.temperature, middle, 0.9, 0.0, 0.0)
    given_ = [s.confidence >= middle for s in said]
    found = measured(starter, samples)
    assert found["accuracy"] == pytest.approx(np.mean(right), abs=1e-6)
    assert found["coverage"] == pytest.approx(np.mean(given_), abs=1e-6)
    assert found["answered_accuracy"] == pytest.approx(np.mean(np.array(right)[given_]), abs=1e-6)
    assert found["withheld"] == {"picture": 0, "question": 0, "confidence": len(said) - sum(given_)}


def test_a_model_that_answers_nothing_has_no_share_of_right_answers(place: Path) -> None:
    starter = Starter.load(place)
    starter.confidence = Confidence(1.0, 1.01, 1.0, 1.0, 0.0)
    found = measured(starter, registry.load_split("slake:en", "validate"))
    assert (found["coverage"], found["answered_accuracy"], found["answered_interval"]) == (0, None, None)


SCORES = st.lists(st.sampled_from([0.1, 0.4, 0.5, 0.9, 1.2]), min_size=1, max_size=20)


@given(SCORES, SCORES)
def test_the_area_is_that_of_scikit_learn(known: list[float], other: list[float]) -> None:
    expected = roc_auc_score([0] * len(known) + [1] * len(other), known + other)
    assert auroc(np.array(known), np.array(other)) == pytest.approx(expected, abs=1e-6)


@given(st.integers(1, 40), st.integers(1, 200))
def test_pictures_are_drawn_from_the_half_that_the_gate_was_not_developed_on(wanted: int, many: int) -> None:
    paths = [Path("a") / f"{number}.png" for number in range(many)]
    if not any(map(held_out, paths)):
        with pytest.raises(RadvqaError, match="None of the pictures"):
            sampled(paths, wanted)
        return
    drawn = sampled(paths, wanted)
    assert drawn == sampled(reversed(paths), wanted)
    assert len(set(drawn)) == len(drawn) == min(wanted, sum(map(held_out, paths)))
    assert all(held_out(path) for path in drawn)


def test_the_halves_are_halves() -> None:
    assert 450 < sum(held_out(Path(f"synpic{number}.jpg")) for number in range(1000)) < 550


def of_name(name: str) -> Pictures:
    return next(tried for tried in SETS if tried.name == name)


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_pictures_are_the_same_every_time(name: str) -> None:
    once, again = (list(of_name(name).read(3)) for _ in range(2))
    assert len(once) == 3
    for first, second in zip(once, again, strict=True):
        assert first.dtype == np.uint8
        np.testing.assert_array_equal(first, second)


def test_without_colour_a_photograph_is_grey(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Red, green and blue weigh 0.299, 0.587 and 0.114 (ITU-R BT.601)."""
    from PIL import Image

    from radvqa.commands.starter_pictures import in_grey

    colour = np.zeros((1, 3, 3), np.uint8)
    colour[0, 0, 0] = colour[0, 1, 1] = colour[0, 2, 2] = 200
    np.testing.assert_array_equal(in_grey(colour), [[60, 117, 23]])
    np.testing.assert_array_equal(in_grey(colour), np.asarray(Image.fromarray(colour).convert("L")))
    np.testing.assert_array_equal(in_grey(colour[..., 0]), colour[..., 0])


def shape(page: str) -> list[str]:
    """A page without its numbers, the widths of its tables and how many rows they have."""
    lines: list[str] = []
    for line in page.splitlines():
        if line.startswith("| ") and lines and lines[-1].startswith("| "):
            continue  # rows of a table
        lines.append(re.sub(r"\s+", " ", re.sub(r"\d[\d,.]*", "#", line)))
    return lines


@pytest.mark.parametrize(("name", "header"), [("docs/starter.md", HEADER), ("src/radvqa/starter/CARD.md", CARD_HEADER)])
def test_page_and_card_are_what_the_check_writes(checked: tuple[dict[str, Any], Path], name: str, header: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    written = (checked[1] / Path(name).name).read_text(encoding="utf-8")
    assert header in page
    assert [line for line in written.splitlines() if line.startswith("Left out")] == (
        ["Left out, because the data was absent: " + ", ".join(checked[0]["left_out"]) + "."] if "docs" in name else []
    )
    assert without_absent(shape(page)) == without_absent(shape(written))


def without_absent(lines: list[str]) -> list[str]:
    return [line for line in lines if line and not line.startswith("Left out")]


def test_the_tables_of_the_page_hold_every_set_that_was_tried() -> None:
    page = (ROOT / "docs/starter.md").read_text(encoding="utf-8")
    for tried in SETS:
        assert tried.title in page


def test_the_card_says_what_the_licences_ask_for() -> None:
    card = (ROOT / "src/radvqa/starter/CARD.md").read_text(encoding="utf-8")
    for words in ("CC BY 4.0", "Liu", "SLAKE", "Oquab", "Apache 2.0", "no medical device", "Research use only"):
        assert words in card


def test_the_tables_by_hand() -> None:
    answered = {
        "name": "slake:en",
        "split": "validate",
        "questions": 1053,
        "pictures": 96,
        "accuracy": 0.8,
        "interval": [0.75, 0.85],
        "coverage": 0.5,
        "ece": 0.02,
        "answered_accuracy": 0.9,
        "answered_interval": [0.85, 0.95],
        "withheld": {"picture": 1, "question": 2, "confidence": 3},
    }
    limits = {"temperature": 1.5, "threshold": 0.75, "target": 0.9}
    shown = answers_table({"answers": [answered], "limits": limits})
    assert shown.rows[0].cells == (
        *("SLAKE, validation", "1,053 on 96 pictures", "80.0 [75.0, 85.0]", "50.0", "90.0 [85.0, 95.0]", "2.0"),
        "1 / 2 / 3",
    )
    assert "from a confidence of 0.75 on" in shown.notes[1]
    tried = {"title": "Noise", "pictures": 20, "wanted": False, "passed": 0.05, "auroc_from_slake": 1.0}
    gate = gate_table({"gate": [{**tried, "auroc_from_others": 0.9875}], "pictures_at_most": 150})
    assert gate.rows[0].cells == ("Noise", "20", "no", "5.0", "1.000", "0.988")


@pytest.mark.real_data
def test_sets_that_are_not_drawn_are_read_from_where_they_are() -> None:
    names = [tried.name for tried in SETS if tried.name not in DRAWN]
    for name in names:
        assert next(of_name(name).read(1)).dtype == np.uint8


def test_another_hospital_is_tried_when_it_is_there(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    miniature.slake(tmp_path / "slake")
    miniature.vqa_rad(tmp_path / "vqa_rad")
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    monkeypatch.setattr(starter_pictures, "held_out", lambda path: True)
    monkeypatch.setattr(starter_check, "SETS", tuple(of_name(name) for name in ("slake", "vqa_rad", "noise")))
    found = check_starter(pictures=10, path=place)
    assert found["left_out"] == []
    assert [(row["name"], row["split"]) for row in found["answers"]][1:] == [("vqa_rad", "sample")]
    assert [(row["name"], row["auroc_from_others"] is None) for row in found["gate"]] == [
        *(("slake", True), ("vqa_rad", True)),
        ("noise", False),
    ]
