"""Small pictures reach the page once each, the most telling first, and nothing else does."""

from pathlib import Path
from typing import Any

import pytest

from radvqa import files
from radvqa.errors import DataError
from radvqa.report.comparison import compare_runs
from radvqa.report.disagreements import browser
from radvqa.report.scored import Scored, load
from radvqa.report.thumbnails import thumbnails
from report_runs import make_run, thumbnail


def one(tmp_path: Path, **options: Any) -> Scored:
    make_run(tmp_path / "a", **options)
    return load([tmp_path / "a"])[0]


def test_pictures_are_embedded_in_the_wanted_order_until_there_is_no_room(tmp_path: Path) -> None:
    run = one(tmp_path)
    found = thumbnails([run], ["img3.png", "img0.png", "img3.png", "nowhere.png", "img1.png"])
    assert list(found.pictures) == ["img3.png", "img0.png", "img1.png"]
    assert found.left_out == 0
    size = len(found.pictures["img3.png"])
    few = thumbnails([run], ["img3.png", "img0.png", "img1.png"], most=size + 10)
    assert (list(few.pictures), few.left_out) == (["img3.png"], 2)


def test_a_run_without_pictures_says_so(tmp_path: Path) -> None:
    found = thumbnails([one(tmp_path, thumbnails=False)], ["img0.png"])
    assert (found.pictures, found.left_out, found.known) == ({}, 0, False)


def test_pictures_with_disagreements_come_first(tmp_path: Path) -> None:
    make_run(tmp_path / "a", skill=1.0)
    make_run(tmp_path / "b", name="b", skill=1.0)
    rows = list(files.read_jsonl(tmp_path / "b" / "predictions.jsonl"))
    for place in (35, 36, 50):  # two questions about img7, one about img10
        rows[place]["prediction"] = "wrong"
    files.write_jsonl(tmp_path / "b" / "predictions.jsonl", rows)
    (comparison,) = compare_runs([tmp_path / "a", tmp_path / "b"])
    assert list(browser(comparison)["thumbnails"].pictures)[:2] == ["img7.png", "img10.png"]


@pytest.mark.parametrize("name", ["../secret.webp", "/etc/hostname", "a/b.webp", 3])
def test_the_list_cannot_pull_in_other_files(tmp_path: Path, name: Any) -> None:
    run = one(tmp_path)
    (tmp_path / "a" / "secret.webp").write_bytes(thumbnail(0))
    files.write_json(tmp_path / "a" / "thumbnails" / "index.json", {"img0.png": name})
    with pytest.raises(DataError, match="not a file beside it"):
        thumbnails([run], ["img0.png"])


@pytest.mark.parametrize("content", [b"<svg onload=alert(1)>", b"", b"RIFF\0\0\0\0WEBP" + bytes(300_000)])
def test_only_small_webp_pictures_are_embedded(tmp_path: Path, content: bytes) -> None:
    run = one(tmp_path)
    (tmp_path / "a" / "thumbnails" / "0000.webp").write_bytes(content)
    with pytest.raises(DataError, match=r"0000\.webp is not a small WebP picture"):
        thumbnails([run], ["img0.png"])


def test_a_picture_that_vanished_is_named(tmp_path: Path) -> None:
    run = one(tmp_path)
    (tmp_path / "a" / "thumbnails" / "0000.webp").unlink()
    with pytest.raises(DataError, match=r"0000\.webp cannot be read"):
        thumbnails([run], ["img0.png"])
