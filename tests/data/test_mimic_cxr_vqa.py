"""MIMIC-CXR-VQA: a made-up miniature in the layout that its repository builds; nothing of MIMIC is in it."""

import json
from pathlib import Path
from typing import Any

import made_captions
import pytest

from radvqa.data import registry
from radvqa.errors import DataError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    return made_captions.mimic_cxr_vqa(tmp_path / "mimic_cxr_vqa")


def test_rows_become_samples(folder: Path) -> None:
    samples = registry.load("mimic_cxr_vqa")
    assert [s.split for s in samples] == ["train", "train", "train", "valid", "test"]
    first, query, choose = samples[:3]
    assert first.id == "mimic_cxr_vqa/official/train/1"
    assert (first.answer, first.answer_type, first.question_type) == ("yes", "CLOSED", "presence")
    assert (first.case, first.organ, first.modality) == ("10000001", "Chest", "X-Ray")
    assert first.image_path == folder / "files" / "p10" / "p10000001" / "s50000001" / "00000001-made-up.jpg"
    assert (query.answer, query.answer_type, query.question_type) == ("left lung, heart", "OPEN", "anatomy")
    assert (choose.answer, choose.answer_type) == ("none", "CLOSED")


def test_the_repositorys_own_folders_are_found_too(folder: Path) -> None:
    (folder / "mimiccxrvqa").mkdir()
    (folder / "dataset").rename(folder / "mimiccxrvqa" / "dataset")
    place = folder / "physionet.org" / "files" / "mimic-cxr-jpg" / "2.0.0" / "files"
    place.parent.mkdir(parents=True)
    (folder / "files").rename(place)
    assert all(s.image_path.is_file() for s in registry.load("mimic_cxr_vqa"))


def test_the_gate_is_explained_and_nothing_is_fetched() -> None:
    facts = registry.select("mimic_cxr_vqa").data_set.facts
    assert facts.downloads == ()
    assert "PhysioNet" in facts.terms
    assert "data use agreement" in facts.terms
    assert "your own PhysioNet account" in facts.how_to_get
    assert sum(split.rows for split in facts.versions["official"].splits.values()) == 377_391


def test_the_part_without_answers_is_told_from_the_whole(folder: Path) -> None:
    (folder / "dataset" / "valid.json").rename(folder / "dataset" / "_valid.json")
    with pytest.raises(DataError, match=r"_valid\.json is the part that is published without answers"):
        registry.load("mimic_cxr_vqa")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"answer": ["yes", 3]}, r"valid\.json, row 1: 'answer' must be a list of texts, found \['yes', 3\]"),
        ({"answer": None}, r"row 1: 'answer' must be text or a number, found None"),
        ({"semantic_type": "guess"}, r"row 1: 'semantic_type' must be one of verify, choose, query, found 'guess'"),
        ({"image_path": "../secret.jpg"}, r"row 1: 'image_path' must lie below the folder of the images"),
        ({"image_path": "/etc/secret.jpg"}, r"row 1: 'image_path' must lie below the folder of the images"),
    ],
)
def test_a_bad_row_is_named(folder: Path, values: dict[str, Any], message: str) -> None:
    rows = [made_captions.mimic_row(1, "valid", **values)]
    (folder / "dataset" / "valid.json").write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        registry.load("mimic_cxr_vqa")


def test_it_has_no_regions(folder: Path) -> None:
    assert registry.regions("mimic_cxr_vqa", "p10/a.jpg") == []
