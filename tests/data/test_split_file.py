"""Split files: written, read back, used as a split, and refused where they do not fit."""

import json
from pathlib import Path
from typing import Any

import pytest

from miniature import change, recipe
from radvqa.commands.predict import predict
from radvqa.commands.train import train
from radvqa.data import registry, split_file
from radvqa.data.dataset import Problems
from radvqa.errors import DataError
from radvqa.prediction import read_predictions


@pytest.fixture
def part(mini_slake: Path, tmp_path: Path) -> Path:
    samples = registry.load_split("slake:en", "train")
    path = tmp_path / "part.json"
    split_file.write(path, "slake:en", "train", samples, {samples[1].id: "a leak", samples[5].id: "another"})
    return path


def test_a_split_file_stands_for_a_split(part: Path) -> None:
    whole, kept = registry.load_split("slake:en", "train"), registry.load_split("slake", str(part))
    assert [s.id for s in kept] == [s.id for place, s in enumerate(whole) if place not in (1, 5)]
    assert {s.split for s in kept} == {"part"}  # nothing takes it for the published split
    assert kept[0].question == whole[0].question


def test_what_the_file_says(part: Path) -> None:
    content = json.loads(part.read_text(encoding="utf-8"))
    assert {key: content[key] for key in ("format", "name", "dataset", "split")} == {
        "format": 1,
        "name": "part",
        "dataset": "slake:en",
        "split": "train",
    }
    assert content["left_out"] == [
        {"id": "slake/en/train/1", "reason": "a leak"},
        {"id": "slake/en/train/7", "reason": "another"},
    ]
    assert split_file.read(part).left_out == {"slake/en/train/1": "a leak", "slake/en/train/7": "another"}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c.update(format=2), "is no split file of format 1; `radvqa data leaks"),
        (lambda c: c.pop("dataset"), "'dataset' must be text, found None"),
        (lambda c: c.update(ids="all"), "'ids' must be a list of sample ids"),
        (lambda c: c.update(left_out=["x"]), r"'left_out' must be a list of \{id, reason\}"),
        (
            lambda c: c["ids"].append("slake/en/train/99"),
            "keeps slake/en/train/99, which the split 'train' of slake:en",
        ),
        (lambda c: c["ids"].extend(["x", "y"]), r"keeps x, .* \(nor 1 more\); write the file anew"),
        (lambda c: c["ids"].pop(), r"written for other rows than slake:en now has \(the digest differs\)"),
        (lambda c: c.update(split="trian"), "slake:en has no split 'trian'; did you mean 'train'"),
        (lambda c: c.update(dataset="slake:zh"), "is a part of slake:zh, not of slake:en; load slake:zh with it"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(part: Path, edit: Any, message: str) -> None:
    change(part, edit)
    with pytest.raises(DataError, match=message):
        registry.load_split("slake:en", str(part))


def test_a_file_that_is_absent_or_a_list(part: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.json does not exist"):
        registry.load_split("slake:en", str(part.with_name("gone.json")))
    part.write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="is no split file"):
        registry.load_split("slake:en", str(part))


def test_changed_data_is_noticed(part: Path, mini_slake: Path) -> None:
    change(mini_slake / "train.json", lambda rows: rows[0].update(answer="CT."))
    with pytest.raises(DataError, match="the digest differs"):
        registry.load_split("slake:en", str(part))


def test_rows_that_were_skipped_as_bad_are_not_missed(part: Path, mini_slake: Path) -> None:
    change(mini_slake / "train.json", lambda rows: rows[0].pop("answer"))
    problems = Problems(skip=True)
    kept = registry.load_split("slake:en", str(part), problems)
    assert len(problems.found) == 1
    assert len(kept) == 21
    assert "slake/en/train/0" not in {s.id for s in kept}


def test_a_run_learns_from_one_split_file_and_answers_another(part: Path, mini_slake: Path, tmp_path: Path) -> None:
    test = registry.load_split("slake:en", "test")
    split_file.write(tmp_path / "some.json", "slake:en", "test", test, {s.id: "not asked" for s in test[4:]})
    page = recipe(
        tmp_path / "r.yaml", data__train=str(part), data__test=str(tmp_path / "some.json"), training__epochs=1
    )
    run = train(page, out=tmp_path / "run")
    assert {p.id for p in read_predictions(predict(run.folder))} == {sample.id for sample in test[:4]}
    whole = predict(run.folder, split="test")
    assert len(read_predictions(whole)) == 12
    assert run.provenance["data"]["train"]["digest"] == split_file.read(part).digest
