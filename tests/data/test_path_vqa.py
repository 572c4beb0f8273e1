"""PathVQA: a made-up miniature in each layout, and the files that are here."""

import sys
from pathlib import Path

import path_vqa_data
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from miniature import change
from radvqa import fingerprint
from radvqa.commands.data import check_data
from radvqa.data import image, parquet_pictures, registry
from radvqa.errors import DataError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_cache: Path) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path / "data"))
    (tmp_path / "data" / "path_vqa").mkdir(parents=True)
    return tmp_path / "data" / "path_vqa"


def test_json_rows_become_samples(place: Path) -> None:
    (place).rmdir()
    path_vqa_data.as_json(place)
    samples = registry.load("path_vqa")
    assert [s.split for s in samples] == ["train"] * 6 + ["test"] * 3
    sample = samples[3]
    assert (sample.id, sample.dataset) == ("path_vqa/json/train/4", "path_vqa:json")
    assert (sample.image, sample.image_path) == (f"{1:016x}.jpg", place / "images" / f"{1:016x}.png")
    assert (sample.question, sample.answer, sample.answer_type) == ("is this a liver?", "yes", "CLOSED")
    assert [s.answer_type for s in samples] == ["CLOSED", "OPEN", "OPEN"] * 3
    assert image.decode(sample.image_path).shape == (12, 16)
    assert registry.regions("path_vqa", sample.image) == []


def test_pickled_rows_become_samples(place: Path) -> None:
    path_vqa_data.original(place)
    samples = registry.load("path_vqa:original")
    assert [s.split for s in samples] == ["train"] * 6 + ["val"] * 6 + ["test"] * 6
    sample = samples[9]
    assert (sample.id, sample.image) == ("path_vqa/original/val/4", "val_0001")
    assert sample.image_path == place / "pvqa/images/val/val_0001.jpg"
    assert (sample.question, sample.answer, sample.answer_type) == ("Is this a liver?", "Yes", "CLOSED")
    assert sample.source == f"{place / 'pvqa/qas/val/val_qa.pkl'}, row 4"


def test_a_pickle_that_would_run_code_is_refused(place: Path) -> None:
    path_vqa_data.original(place)
    (place / "pvqa/qas/val/val_qa.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(DataError, match=r"val_qa\.pkl is not read: at byte 0 its pickle asks for GLOBAL os system"):
        registry.load("path_vqa:original")
    (place / "pvqa/qas/val/val_qa.pkl").write_bytes(b"(lK\x01a.")
    with pytest.raises(DataError, match="expected a list of dictionaries"):
        registry.load("path_vqa:original")


def test_parquet_rows_become_samples_and_pictures_are_written_once(place: Path, fresh_cache: Path) -> None:
    path_vqa_data.hub(place)
    samples = registry.load("path_vqa:hf")
    assert [s.split for s in samples] == ["train"] * 12 + ["validation"] * 12 + ["test"] * 12
    assert [s.id for s in samples[4:8]] == [f"path_vqa/hf/train/{number}" for number in (5, 6, 7, 8)]
    assert samples[7].source == f"{place / 'data/train-00001-of-00002-abc.parquet'}, row 2"
    pictures = fresh_cache / "path_vqa" / "pictures"
    assert {s.image_path for s in samples} == set(pictures.iterdir())
    assert len(list(pictures.iterdir())) == 3  # pictures 0, 1 and 9
    sample = samples[6]
    assert sample.image == fingerprint.of_bytes(path_vqa_data.picture(1))[:32] + ".jpg"
    assert sample.image_path.read_bytes() == path_vqa_data.picture(1)
    assert (sample.question, sample.answer, sample.answer_type) == ("Is this a liver?", "yes", "CLOSED")


def test_the_second_reading_opens_no_parquet(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path_vqa_data.hub(place)
    first = registry.load("path_vqa:hf")
    with monkeypatch.context() as patch:
        patch.setattr(parquet_pictures, "_opened", None)
        assert registry.load("path_vqa:hf") == first
    path = place / "data" / "test-00000-of-00002-abc.parquet"
    pq.write_table(pq.read_table(path).slice(0, 2), path)
    assert len(registry.load("path_vqa:hf")) == len(first) - 4  # another file is unpacked anew


def test_parquet_files_that_cannot_be_used(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path_vqa_data.hub(place)
    path = place / "data" / "train-00000-of-00002-abc.parquet"
    row = {"image": {"bytes": b"", "path": "a.jpg"}, "question": "q", "answer": "a"}
    pq.write_table(pa.Table.from_pylist([row]), path)
    with pytest.raises(DataError, match=r"abc\.parquet, row 1: 'image' must hold the bytes of a picture"):
        registry.load("path_vqa:hf")
    pq.write_table(pa.Table.from_pylist([{"image": 1, "question": "q"}]), path)
    with pytest.raises(DataError, match="has no column 'answer'; its columns are image, question"):
        registry.load("path_vqa:hf")
    path.write_bytes(b"no parquet")
    with pytest.raises(DataError, match=r"abc\.parquet is no readable Parquet file"):
        registry.load("path_vqa:hf")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(DataError, match=r"needs pyarrow \(pip install"):
        registry.load("path_vqa:hf")


@pytest.mark.parametrize(
    ("version", "layout"),
    [
        ("json", r"expects train_qa\.json and images/"),
        ("hf", r"expects data/train-\*\.parquet"),
        ("original", r"expects pvqa/qas/train/train_qa\.pkl and pvqa/images/train/"),
    ],
)
def test_an_absent_layout_is_named(place: Path, version: str, layout: str) -> None:
    with pytest.raises(DataError, match=f"path_vqa:{version} {layout} in .*does not exist"):
        registry.load(f"path_vqa:{version}")


def test_a_row_without_an_answer_is_named(place: Path) -> None:
    place.rmdir()
    path_vqa_data.as_json(place)
    change(place / "test_qa.json", lambda rows: rows[1].pop("answer"))
    with pytest.raises(DataError, match=r"test_qa\.json, row 2: the key 'answer' is missing"):
        registry.load("path_vqa")


@pytest.mark.real_data
def test_the_rows_that_are_here() -> None:
    samples = registry.load("path_vqa")
    splits = registry.select("path_vqa").version.splits
    parts = {name: [s for s in samples if s.split == name] for name in splits}
    for name, facts in splits.items():
        assert fingerprint.of_samples(parts[name]) == facts.digest
        assert (len(parts[name]), len({s.image for s in parts[name]})) == (facts.rows, facts.images)
    assert [sum(s.answer_type == "CLOSED" for s in parts[name]) for name in splits] == [4870, 3362]
    assert not {s.image for s in parts["train"]} & {s.image for s in parts["test"]}
    repeats = [len(part) - len({(s.image, s.question, s.answer) for s in part}) for part in parts.values()]
    assert repeats == [850, 608]


@pytest.mark.real_data
@pytest.mark.slow
def test_the_pictures_that_are_here() -> None:
    report = check_data("path_vqa")
    assert report["ok"] is True
    assert report["pictures_decoded"] == 1300 + 858
