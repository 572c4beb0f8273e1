"""MEDPIX-ClinQA: a made-up miniature in the published layout, and the published rows themselves."""

from collections import Counter
from pathlib import Path

import generated_sets
import pytest

from radvqa import fingerprint
from radvqa.commands.data import check_data
from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.errors import DataError


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    return generated_sets.medpix_clinqa(tmp_path / "medpix_clinqa")


def test_rows_become_samples(mini: Path) -> None:
    first, second = registry.load("medpix_clinqa")[:2]
    assert first.id == "medpix_clinqa/all/Train/1"
    assert (first.dataset, first.split, first.case) == ("medpix_clinqa:all", "Train", "MPX1")
    assert (first.image, first.question_type) == ("sample/MPX1_a.png", "pre_training")
    assert first.answer == "The possible diagnosis includes:\n• Cancer,\n• Cyst."
    assert (second.question, second.answer, second.answer_type) == ("What is shown?", 'A "mass", large.', "OPEN")
    assert second.source == f"{mini / 'dataset_sa.csv'}, row 2"


def test_only_a_bare_yes_or_no_is_closed(mini: Path) -> None:
    types = {s.answer: s.answer_type for s in registry.load("medpix_clinqa")}
    assert (types["Yes."], types["Yes, a mass."], types["Nothing."]) == ("CLOSED", "OPEN", "OPEN")


def test_a_mode_is_a_version_and_keeps_the_numbers_of_the_rows(mini: Path) -> None:
    whole = {s.id.rpartition("/")[2]: s.question for s in registry.load("medpix_clinqa")}
    alignment = registry.load("medpix_clinqa:alignment")
    assert {s.question_type for s in alignment} == {"alignment"}
    assert [s.id for s in alignment][:2] == [f"medpix_clinqa/alignment/Train/{number}" for number in (2, 3)]
    assert [s.split for s in alignment] == ["Train", "Train", "Train", "Valid", "Test"]
    assert all(whole[s.id.rpartition("/")[2]] == s.question for s in alignment)


def test_pictures_are_those_of_medpix2_by_their_stem_unless_they_lie_here(mini: Path) -> None:
    lost = registry.load("medpix_clinqa")[0].image_path
    assert lost == mini.parent / "medpix2" / "images" / "MPX1_a.png"  # where an error will say that it is missed
    generated_sets.medpix2(mini.parent / "medpix2")
    assert registry.load("medpix_clinqa")[0].image_path == mini.parent / "medpix2" / "images" / "MPX1_a.jpg"
    generated_sets.picture(mini / "sample" / "MPX1_a.png", 7)
    assert registry.load("medpix_clinqa")[0].image_path == mini / "sample" / "MPX1_a.png"


def test_a_check_copes_without_pictures_and_not_with_a_part_of_them(mini: Path) -> None:
    report = check_data("medpix_clinqa")
    assert (report["pictures_decoded"], report["left_out"]) == (0, [])
    assert report["pictures_apart"].startswith(
        "The pictures are not part of this copy. The pictures are those of MedPix"
    )
    generated_sets.medpix2(mini.parent / "medpix2")
    (mini.parent / "medpix2" / "images" / "MPX4_a.jpg").unlink()
    report = check_data("medpix_clinqa", skip_bad=True)
    assert (report["pictures_decoded"], len(report["left_out"]), report["pictures_apart"]) == (4, 1, "")
    assert "MPX4_a.png does not exist" in report["left_out"][0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",alignment,Valid", ",alignment,Dev", "row 6: 'split' must be one of Train, Valid, Test, found 'Dev'"),
        (",alignment,Test", ",chat,Test", "row 4: 'mode' must be one of alignment, pre_training, found 'chat'"),
        (",Nothing.,", ",,", "row 5: 'answer' must be text or a number"),
        ("Nothing.", "No, nothing", "line .*: the row has 9 cells, but the header names 8"),
        ("mode,", "kind,", "row 1: the key 'mode' is missing"),
    ],
)
def test_a_bad_row_is_named(mini: Path, old: str, new: str, message: str) -> None:
    path = mini / "dataset_sa.csv"
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        registry.load("medpix_clinqa")
    assert str(path) in str(caught.value)


def test_bad_rows_can_be_left_out_and_an_absent_file_is_named(mini: Path) -> None:
    path = mini / "dataset_sa.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("Nothing.", ""), encoding="utf-8")
    problems = Problems(skip=True)
    assert len(registry.load("medpix_clinqa", problems)) == 6
    assert len(problems.found) == 1
    path.unlink()
    with pytest.raises(DataError, match=r"dataset_sa\.csv does not exist; `radvqa data explain medpix_clinqa`"):
        registry.load("medpix_clinqa")


@pytest.mark.real_data
@pytest.mark.parametrize("version", ["all", "alignment", "pre_training"])
def test_the_published_rows(version: str) -> None:
    selection = registry.select(f"medpix_clinqa:{version}")
    samples = registry.load(selection.name)
    cases = []
    for split, facts in selection.version.splits.items():
        part = [s for s in samples if s.split == split]
        assert (len(part), len({s.image for s in part})) == (facts.rows, facts.images)
        assert fingerprint.of_samples(part) == facts.digest
        cases.append({s.case for s in part})
    assert len(set.union(*cases)) == sum(map(len, cases)), "no case is in two splits"
    assert all(s.image_path.is_file() for s in samples)


@pytest.mark.real_data
def test_the_published_counts_and_traps() -> None:
    samples = registry.load("medpix_clinqa")
    assert Counter(s.question_type for s in samples) == {"alignment": 10_250, "pre_training": 2_975}
    assert Counter(s.split for s in samples) == {"Train": 11_574, "Test": 980, "Valid": 671}
    assert (len({s.image for s in samples}), len({s.case for s in samples})) == (2_050, 671)
    assert sum(s.answer_type == "CLOSED" for s in samples) == 1
    words = [len(s.answer.split()) for s in samples]
    assert (round(sum(words) / len(words), 1), max(words)) == (21.7, 77)
    here = {s.case: s.split for s in samples}
    there = {s.case: s.split for s in registry.load("medpix2")}
    assert sum(there[case] == "test" and here[case] == "Train" for case in here) == 63
    assert sum(there[case] == "train" and here[case] == "Test" for case in here) == 36
