"""ROCOv2: a made-up miniature in the layout of its record."""

from pathlib import Path

import made_captions
import pytest

from radvqa.data import registry
from radvqa.data.sets.rocov2 import RocoV2
from radvqa.errors import DataError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    return made_captions.rocov2(tmp_path / "rocov2")


def test_captions_are_answers_without_a_question(folder: Path) -> None:
    samples = registry.load("rocov2")
    assert [s.split for s in samples] == ["train", "train", "valid", "test"]
    first = samples[0]
    assert first.id == "rocov2/captions/train/ROCOv2_2023_train_000001"
    assert (first.question, first.answer) == ("", "Caption of ROCOv2_2023_train_000001.")
    assert (first.task, first.answer_type, first.options) == ("caption", "OPEN", ())
    assert [s.modality for s in samples] == ["CT", "", "CT", "CT"]
    assert first.image_path == folder / "train_images" / "train" / "ROCOv2_2023_train_000001.jpg"
    assert all(s.image_path.is_file() for s in samples)


def test_concepts_come_by_name_and_by_code_where_none_is_known(folder: Path) -> None:
    name = "ROCOv2_2023_train_000001"
    assert RocoV2().concepts(folder)[name] == ("Lobe", "Chest")
    manual = RocoV2().concepts(folder, manual=True)
    assert manual[name] == ("Chest", "X-Ray Computed Tomography")
    assert manual["ROCOv2_2023_train_000002"] == ("C0000003",)


def test_captions_can_be_read_without_the_files_of_concepts(folder: Path) -> None:
    for path in folder.glob("*_concepts*.csv"):
        path.unlink()
    assert {s.modality for s in registry.load("rocov2")} == {""}
    with pytest.raises(DataError, match=r"train_concepts\.csv does not exist"):
        RocoV2().concepts(folder)


def test_images_are_found_where_the_archive_was_unpacked_beside_and_a_missing_one_is_named_as_published(
    folder: Path,
) -> None:
    (folder / "test_images" / "test").rename(folder / "test")
    (folder / "test_images").rmdir()
    (folder / "valid_images" / "valid" / "ROCOv2_2023_valid_000001.jpg").unlink()
    valid, test = registry.load("rocov2")[2:]
    assert test.image_path == folder / "test" / "ROCOv2_2023_test_000001.jpg"
    assert valid.image_path == folder / "valid_images" / "valid" / "ROCOv2_2023_valid_000001.jpg"


def test_a_row_without_a_caption_is_named(folder: Path) -> None:
    made_captions.table(folder / "valid_captions.csv", ("ID", "Caption"), [("ROCOv2_2023_valid_000001", " ")])
    with pytest.raises(DataError, match=r"valid_captions\.csv, row 1: the Caption is empty"):
        registry.load("rocov2")


def test_the_published_counts_are_those_of_the_record() -> None:
    facts = registry.select("rocov2").data_set.facts
    splits = facts.versions["captions"].splits
    assert sum(split.rows for split in splits.values()) == 79_789  # the paper's number
    assert all(split.rows == split.images for split in splits.values())
    assert len(facts.downloads) == 3 * 3 + 2 + 3
    assert "commercial" in facts.terms
    assert registry.select("rocov2").data_set.regions(Path(), "a") == []
