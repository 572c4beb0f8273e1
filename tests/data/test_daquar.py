"""DAQUAR: a made-up miniature of its files, and the files that are here."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from radvqa import fingerprint
from radvqa.commands.data import check_data
from radvqa.data import registry
from radvqa.errors import DataError

PAIRS = """what is on the left side of the oven in the image1 ?
garbage_bin
what is on the table in this image3 ?
book, scissor
what is the table in the image2 on the floor in the image2 ?
chair
how many chairs are there on the image3 ?
6

"""
CSV = 'question,answer,image_id\nwhat is on the table,"book, scissor",image3\nhow many chairs are there,6,image3\n'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    folder = tmp_path / "daquar"
    (folder / "images").mkdir(parents=True)
    for number in (1, 2, 3):
        Image.fromarray(np.full((6, 8, 3), 60 * number, np.uint8)).save(folder / "images" / f"image{number}.jpg")
    (folder / "all_qa_pairs.txt").write_text(PAIRS, encoding="utf-8")
    (folder / "train_images_list.txt").write_text("image3\n", encoding="utf-8")
    (folder / "test_images_list.txt").write_text("image1\nimage2\n", encoding="utf-8")
    (folder / "qa.37.raw.train.txt").write_text("\n".join(PAIRS.splitlines()[2:4]), encoding="utf-8")
    (folder / "qa.37.raw.reduced.test.txt").write_text("\n".join(PAIRS.splitlines()[:2]), encoding="utf-8")
    (folder / "data_train.csv").write_text(CSV, encoding="utf-8")
    (folder / "data_eval.csv").write_text(CSV.replace("6", "7"), encoding="utf-8")
    return folder


def test_pairs_of_lines_become_samples(place: Path) -> None:
    samples = registry.load("daquar")
    assert [(s.id, s.image) for s in samples] == [
        ("daquar/all/test/1", "image1"),
        ("daquar/all/train/2", "image3"),
        ("daquar/all/test/3", "image2"),
        ("daquar/all/train/4", "image3"),
    ]
    assert [s.question for s in samples] == [
        "what is on the left side of the oven in the image ?",
        "what is on the table in this image ?",
        "what is the table in the image on the floor in the image ?",
        "how many chairs are there on the image ?",
    ]
    assert [s.answer for s in samples] == ["garbage_bin", "book, scissor", "chair", "6"]  # several stay as published
    assert {s.answer_type for s in samples} == {"OPEN"}
    assert samples[1].image_path == place / "images" / "image3.jpg"
    assert samples[1].source == f"{place / 'all_qa_pairs.txt'}, row 2"
    assert registry.regions("daquar", "image1") == []


def test_the_reduced_files(place: Path) -> None:
    samples = registry.load("daquar:reduced")
    assert [(s.id, s.image, s.answer) for s in samples] == [
        ("daquar/reduced/train/1", "image3", "book, scissor"),
        ("daquar/reduced/test/1", "image1", "garbage_bin"),
    ]


def test_the_csv_files_are_loaded_with_a_warning(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry._warn.cache_clear()
    samples = registry.load("daquar:csv")
    assert [(s.id, s.split, s.answer) for s in samples[::3]] == [
        ("daquar/csv/train/1", "train", "book, scissor"),
        ("daquar/csv/eval/2", "eval", "7"),
    ]
    assert "daquar:csv: 1,124 of the 1,129 evaluation images are also training images" in capsys.readouterr().err


def test_pictures_of_the_authors_archive(place: Path) -> None:
    (place / "images").rename(place / "nyu_depth_images")
    assert registry.load("daquar")[0].image_path == place / "nyu_depth_images" / "image1.jpg"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("all_qa_pairs.txt", "what is this in the image1 ?\n", "its 1 lines are no pairs of question and answer"),
        ("all_qa_pairs.txt", "what is this ?\nchair\n", "lines 1 and 2: there is no image in the question"),
        ("all_qa_pairs.txt", "what is this in the image1 ?\n\nwhat ?\nchair", "lines 1 and 2: there is no answer"),
        ("all_qa_pairs.txt", "what is this in the image7 ?\nchair\n", "row 1: image7 is in none of the lists"),
        ("data_train.csv", "question,answer\nwhat is this,chair\n", r"data_train\.csv, row 1: the key 'image_id' is"),
        ("data_train.csv", "question,image_id,answer\nwhat,image1\n", r"data_train\.csv, row 1: the key 'answer' is"),
    ],
)
def test_a_damaged_file_is_named(place: Path, name: str, content: str, message: str) -> None:
    (place / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        registry.load("daquar:csv" if name.endswith(".csv") else "daquar")


@pytest.mark.parametrize("version", ["all", "reduced", "csv"])
def test_an_absent_layout_is_named(place: Path, version: str) -> None:
    for path in place.glob("*.*"):
        path.unlink()
    with pytest.raises(DataError, match=f"daquar:{version} expects .* in .*daquar, and .* is not there"):
        registry.load(f"daquar:{version}")


@pytest.mark.real_data
@pytest.mark.parametrize("version", ["all", "csv"])
def test_the_published_rows(version: str) -> None:
    selection = registry.select(f"daquar:{version}")
    samples = registry.load(selection.name)
    for name, facts in selection.version.splits.items():
        part = [s for s in samples if s.split == name]
        assert fingerprint.of_samples(part) == facts.digest
        assert (len(part), len({s.image for s in part})) == (facts.rows, facts.images)
    assert len(samples) == 12468
    assert not any(s.answer in ("yes", "no") for s in samples)
    assert sum("," in s.answer for s in samples) == 1243


@pytest.mark.real_data
def test_the_official_split_shares_no_image_and_the_csv_nearly_all() -> None:
    shared = {}
    for version, test in (("all", "test"), ("csv", "eval")):
        samples = registry.load(f"daquar:{version}")
        train, tested = ([s for s in samples if s.split == name] for name in ("train", test))
        triplets = {(s.image, s.question, s.answer) for s in train} & {(s.image, s.question, s.answer) for s in tested}
        shared[version] = (len({s.image for s in train} & {s.image for s in tested}), len(triplets))
    assert shared == {"all": (0, 0), "csv": (1124, 69)}


@pytest.mark.real_data
@pytest.mark.slow
def test_the_pictures_that_are_here() -> None:
    report = check_data("daquar")
    assert report["ok"] is True
    assert report["pictures_decoded"] == 1447
