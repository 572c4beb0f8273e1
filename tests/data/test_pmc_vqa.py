"""PMC-VQA: a made-up miniature in the published layout of both versions."""

from pathlib import Path

import made_captions
import pytest

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.errors import DataError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    return made_captions.pmc_vqa(tmp_path / "pmc_vqa")


def test_rows_of_version_1_become_multiple_choice(folder: Path) -> None:
    samples = registry.load("pmc_vqa")
    assert [s.id for s in samples] == [
        "pmc_vqa/v1/train/1",
        "pmc_vqa/v1/train/2",
        "pmc_vqa/v1/test_unverified/1",
        "pmc_vqa/v1/test/1",
    ]
    first, second = samples[:2]
    assert first.options == ("A mass", "A cyst", "A: b", "Nothing, at all")  # one letter is taken off, not two
    assert (first.answer, first.task, first.answer_type) == ("A mass", "choice", "CLOSED")
    assert (second.answer, second.options) == ("Left", ("Right", "Left", "Both", ""))
    assert first.image_path == folder / "images" / "images" / "PMC101_F1.jpg"
    assert (first.case, first.source) == ("PMC101", f"{folder / 'train.csv'}, row 1")
    assert first.image_path is second.image_path
    assert first.image is second.image


def test_the_verified_file_is_the_test(folder: Path) -> None:
    assert [s.answer for s in registry.load_split("pmc_vqa:v1", "test")] == ["Age"]
    assert [s.answer for s in registry.load_split("pmc_vqa:v1", "test_unverified")] == ["CT"]
    notes = " ".join(registry.select("pmc_vqa").data_set.facts.notes)
    assert "test_clean.csv" in notes
    assert "nobody verified" in notes


def test_version_2_names_the_right_choice_in_answer_and_its_caption_is_not_given(folder: Path) -> None:
    train, test = registry.load("pmc_vqa:v2")
    assert (train.split, test.split) == ("train", "test")
    assert train.options == ("One", "two", "B:x", "four")
    assert (train.answer, train.context, train.case) == ("four", "", "PMC201")
    assert train.image_path == folder / "images_2" / "figures" / "PMC201_Fig2_7.jpg"


@pytest.mark.parametrize("release", ["v1", "v2"])
def test_the_blank_versions_are_the_same_questions_without_choices(folder: Path, release: str) -> None:
    choices, blanks = registry.load(f"pmc_vqa:{release}"), registry.load(f"pmc_vqa:{release}_blank")
    assert [(s.question, s.answer, s.image) for s in choices] == [(s.question, s.answer, s.image) for s in blanks]
    assert {(s.task, s.answer_type, s.options) for s in blanks} == {("vqa", "OPEN", ())}


def test_the_first_release_misspelt_the_column_and_wrote_the_letter_with_the_answer(folder: Path) -> None:
    header = ("Figure_path", "Question", "Anwser", "Choice A", "Choice B", "Choice C", "Choice D")
    row = ("PMC101_F1.jpg", "What uptake?", "B:Focal", "A:Diffuse", "B:Focal", "C:None", "D:Unknown")
    made_captions.table(folder / "train.csv", header, [row])
    assert registry.load_split("pmc_vqa", "train")[0].answer == "Focal"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (7, "E", r"train\.csv, row 1: the right choice must be A, B, C or D, found 'E'"),
        (7, "", r"row 1: the right choice must be A, B, C or D, found ''"),
        (7, "Bone", r"found 'Bone'"),
        (3, "A: ", r"row 1: the right choice is empty"),
        (0, "", r"row 1: the figure is empty"),
        (1, " ", r"row 1: the question is empty"),
    ],
)
def test_a_bad_row_is_named_and_can_be_left_out(folder: Path, place: int, value: str, message: str) -> None:
    row = ["PMC101_F1.jpg", "What is shown?", "A mass", "A:A mass", "B:A cyst", "C:b", "D:d", "A"]
    row[place] = value
    good = ("PMC101_F1.jpg", "Which side?", "Left", "A:Right", "B:Left", "C:Both", "D:None", "B")
    made_captions.table(folder / "train.csv", made_captions.V1, [row, good])
    with pytest.raises(DataError, match=message):
        registry.load("pmc_vqa")
    problems = Problems(skip=True)
    assert registry.load("pmc_vqa", problems)[0].id == "pmc_vqa/v1/train/2"
    assert len(problems.found) == 1


def test_a_table_that_does_not_name_the_right_choice_is_refused(folder: Path) -> None:
    made_captions.table(folder / "test.csv", made_captions.V1[:2], [("a.jpg", "Why?")])
    with pytest.raises(DataError, match=r"test\.csv names the right choice neither in 'Answer_label' nor in 'Answer'"):
        registry.load("pmc_vqa")


def test_figures_are_found_however_the_archive_was_unpacked_and_reencoded(folder: Path) -> None:
    (folder / "images" / "images").rename(folder / "unpacked")
    (folder / "images").rmdir()
    (folder / "unpacked").rename(folder / "images")
    (folder / "images" / "PMC102_F3.jpg").unlink()
    made_captions.picture(folder / "images" / "PMC102_F3.png")
    names = [s.image_path.relative_to(folder).as_posix() for s in registry.load("pmc_vqa")]
    assert names == ["images/PMC101_F1.jpg", "images/PMC101_F1.jpg", "images/PMC102_F3.png", "images/PMC103_F1.jpg"]


def test_it_can_be_fetched_and_has_no_regions(folder: Path) -> None:
    facts = registry.select("pmc_vqa").data_set.facts
    assert {d.path for d in facts.downloads if not d.unpack} == {p.name for p in folder.glob("*.csv")}
    assert {d.path for d in facts.downloads if d.unpack} == {"images", "images_2"}
    assert registry.regions("pmc_vqa", "PMC101_F1.jpg") == []
