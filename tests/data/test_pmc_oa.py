"""PMC-OA: a made-up miniature in the published layout."""

from pathlib import Path

import made_captions
import pytest

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.errors import DataError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    return made_captions.pmc_oa(tmp_path / "pmc_oa")


def test_captions_of_subfigures_are_answers_without_a_question(folder: Path) -> None:
    first, second = registry.load("pmc_oa")
    assert (first.id, first.dataset, first.split) == ("pmc_oa/separated/train/1", "pmc_oa:separated", "train")
    assert (first.question, first.answer, second.answer) == ("", "Part 0.", "Part 1.")
    assert (first.task, first.answer_type, first.case) == ("caption", "OPEN", "PMC301")
    assert first.image_path.is_file()
    assert first.image_path.parent.name == "caption_T060_filtered_top4_sep_v0_subfigures"


def test_whole_captions_are_another_version_and_the_first_release_is_split(folder: Path) -> None:
    assert [s.answer for s in registry.load("pmc_oa:beta")] == ["The whole."] * 2
    assert [(s.split, s.answer) for s in registry.load("pmc_oa:beta_split")] == [
        ("train", "In train."),
        ("valid", "In valid."),
        ("test", "In test."),
    ]


def test_images_are_found_where_the_archive_was_unpacked_beside_the_rows(folder: Path) -> None:
    inner = "caption_T060_filtered_top4_sep_v0_subfigures"
    (folder / "images" / inner).rename(folder / inner)
    assert registry.load("pmc_oa")[0].image_path == folder / inner / "PMC301_Fig1_1.jpg"


def test_a_bad_row_is_named_and_can_be_left_out(folder: Path) -> None:
    rows = [{"image": "PMC301_Fig1_1.jpg"}, {"image": "b.jpg", "caption": ""}, {"image": "b.jpg", "caption": "Good."}]
    made_captions.lines(folder / "pmc_oa.jsonl", rows)
    with pytest.raises(DataError, match=r"pmc_oa\.jsonl, row 1: the key 'caption' is missing"):
        registry.load("pmc_oa")
    problems = Problems(skip=True)
    (kept,) = registry.load("pmc_oa", problems)
    assert (kept.id, kept.case) == ("pmc_oa/separated/train/3", "")
    assert len(problems.found) == 2


def test_counts_that_were_not_published_are_not_made_up() -> None:
    data_set = registry.select("pmc_oa").data_set
    assert {split.rows for version in data_set.facts.versions.values() for split in version.splits.values()} == {0}
    assert data_set.regions(Path(), "a") == []
