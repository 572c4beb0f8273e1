"""VQA-RAD: a made-up miniature in the published layout, and the published file itself."""

import json
from pathlib import Path

import pytest

from miniature import change
from radvqa import fingerprint
from radvqa.commands.data import check_data
from radvqa.data import registry
from radvqa.data.registry import DATASETS
from radvqa.errors import DataError


def test_rows_become_samples(mini_vqa_rad: Path) -> None:
    samples = registry.load("vqa_rad")
    assert [s.split for s in samples] == ["train", "train", "test"] * 6
    sample = samples[4]
    assert sample.id == "vqa_rad/official/train/4"
    assert sample.image_path == mini_vqa_rad / "VQA_RAD Image Folder" / "synpic1.jpg"
    assert (sample.answer, sample.answer_type, sample.question_type) == ("2", "OPEN", "PRES")  # a number in the file
    assert (sample.organ, sample.case) == ("Chest", "https://example.org/case?id=0")
    assert sample.source.endswith("VQA_RAD Dataset Public.json, row 5")


def test_an_answer_type_with_a_space_is_the_answer_type(mini_vqa_rad: Path) -> None:
    content = json.loads((mini_vqa_rad / "VQA_RAD Dataset Public.json").read_text(encoding="utf-8"))
    assert content[9]["answer_type"] == "CLOSED "
    assert registry.load("vqa_rad")[9].answer_type == "CLOSED"


def test_it_has_no_regions(mini_vqa_rad: Path) -> None:
    assert registry.regions("vqa_rad", "synpic0.jpg") == []


def test_a_row_without_a_phrase_type_has_no_split(mini_vqa_rad: Path) -> None:
    change(mini_vqa_rad / "VQA_RAD Dataset Public.json", lambda rows: rows[3].pop("phrase_type"))
    with pytest.raises(DataError, match=r"Public.json, row 4: the key 'phrase_type' is missing"):
        registry.load("vqa_rad")


@pytest.mark.real_data
def test_the_published_rows() -> None:
    samples = registry.load("vqa_rad")
    splits = {name: [s for s in samples if s.split == name] for name in ("train", "test")}
    for name, facts in DATASETS["vqa_rad"].facts.versions["official"].splits.items():
        assert fingerprint.of_samples(splits[name]) == facts.digest
        assert len({s.image for s in splits[name]}) == facts.images
    assert (len(splits["train"]), len(splits["test"])) == (1797, 451)
    # 202 of the 203 test images are training images too
    assert len({s.image for s in splits["test"]} - {s.image for s in splits["train"]}) == 1
    numbers = {s.id.rpartition("/")[2]: s.answer for s in samples}
    assert [numbers[qid] for qid in ("1511", "1568", "1683", "2234", "2235")] == ["4", "2", "2", "12", "12"]


@pytest.mark.real_data
def test_the_published_oddities_are_still_in_the_file() -> None:
    rows = json.loads((registry.select("vqa_rad").folder / "VQA_RAD Dataset Public.json").read_text(encoding="utf-8"))
    assert sum(isinstance(row["answer"], int) for row in rows) == 5
    assert [row["answer_type"] for row in rows if row["answer_type"].strip() != row["answer_type"]] == ["CLOSED "] * 2
    assert {s.answer_type for s in registry.load("vqa_rad")} == {"OPEN", "CLOSED"}


@pytest.mark.real_data
@pytest.mark.slow
def test_the_published_pictures_are_all_there() -> None:
    report = check_data("vqa_rad")
    assert report["ok"] is True
    assert report["pictures_decoded"] == 314
