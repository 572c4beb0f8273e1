"""Leaks: planted ones in made-up data, the known ones in published data, and splits without them."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagehash
import leak_data
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leak_data import picture
from numpy.typing import NDArray
from PIL import Image

from miniature import change
from radvqa import fingerprint
from radvqa.commands.leaks import leaks
from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.data.leaks.find import Overlap, find_leaks
from radvqa.data.leaks.looks import SIDE, look_at, perceptual_hashes, thumbnail
from radvqa.data.leaks.near import LEAST_CORRELATION, near_pairs
from radvqa.errors import DataError
from radvqa.report.leaks import example_table, leak_table, show_leaks, written_table

SLAKE = "xmlab{}/source.jpg"


@pytest.fixture
def slake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path / "data"))
    return leak_data.pictured_slake(tmp_path / "data" / "slake")


@pytest.fixture
def vqa_rad(mini_vqa_rad: Path) -> Path:
    for number, path in enumerate(sorted((mini_vqa_rad / "VQA_RAD Image Folder").iterdir())):
        Image.fromarray(picture(100 + number)).save(path)
    return leak_data.mevf(mini_vqa_rad)


def between(overlaps: list[Overlap], first: str, second: str) -> Overlap:
    (found,) = (o for o in overlaps if (o.first.name, o.second.name) == (first, second))
    return found


def near_of(*pictures: NDArray[np.uint8]) -> list[list[int]]:
    thumbnails = np.stack([thumbnail(p).ravel() for p in pictures])
    found: list[list[int]] = near_pairs(thumbnails, np.arange(len(pictures)))[0].tolist()
    return found


def test_the_hash_is_that_of_the_reference_library() -> None:
    thumbnails = np.stack([thumbnail(picture(n)) for n in range(20)])
    ours = perceptual_hashes(thumbnails.reshape(20, -1))
    for hashed, pixels in zip(ours, thumbnails, strict=True):
        bits = np.unpackbits(np.array([hashed]).view(np.uint8)).astype(bool)
        assert np.array_equal(bits, imagehash.phash(Image.fromarray(pixels)).hash.ravel())


def test_the_correlation_is_that_of_numpy() -> None:
    rng = np.random.default_rng(0)
    changed = [(picture(0) + rng.normal(0, s, (80, 96))).clip(0, 255).astype(np.uint8) for s in (0, 3, 6, 12)]
    thumbnails = np.stack([thumbnail(p).ravel() for p in changed])
    pairs, correlations = near_pairs(thumbnails, np.arange(4))
    expected = np.corrcoef(thumbnails.astype(float))
    assert pairs.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    assert correlations == pytest.approx([expected[i, j] for i, j in pairs], abs=1e-6)


@pytest.mark.parametrize(
    ("copied", "is_found"),
    [
        (lambda p: p, True),
        (lambda p: np.asarray(Image.fromarray(p).resize((301, 250))), True),
        (lambda p: np.asarray(Image.fromarray(p).resize((40, 33))), True),
        (lambda p: p + 40, True),
        (lambda p: np.repeat(p[..., None], 3, axis=2), True),
        (lambda p: p[:, ::-1], False),
        (lambda p: p[::-1], False),
        (lambda p: p.T, False),
        (lambda p: 255 - p, False),
        (lambda p: p[20:60, 20:60], False),
        (lambda p: picture(8), False),
    ],
    ids=[
        *("same", "enlarged", "reduced", "brighter", "colour"),
        *("mirrored", "upside-down", "turned", "negative", "cropped", "another"),
    ],
)
def test_what_is_a_near_duplicate(copied: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], is_found: bool) -> None:
    assert near_of(picture(7), np.ascontiguousarray(copied(picture(7)))) == ([[0, 1]] if is_found else [])


def test_pictures_of_one_grey_are_no_near_duplicates() -> None:
    assert near_of(*(np.full((30, 40), grey, np.uint8) for grey in (0, 0, 90, 255))) == []


def test_pictures_of_one_part_are_not_compared() -> None:
    thumbnails = np.stack([thumbnail(picture(n)).ravel() for n in (1, 1, 1, 2)])
    assert near_pairs(thumbnails, np.array([0, 0, 1, 1]))[0].tolist() == [[0, 2], [1, 2]]
    assert near_pairs(thumbnails, np.array([-1, -1, 1, 1]))[0].tolist() == [[0, 1], [0, 2], [1, 2]]
    assert near_pairs(thumbnails[:0], np.empty(0, int))[0].shape == (0, 2)


def test_blocks_do_not_change_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    pictures = [(picture(n % 5) + rng.normal(0, 2, (80, 96))).clip(0, 255).astype(np.uint8) for n in range(23)]
    whole = near_of(*pictures)
    assert whole == [[a, b] for a in range(23) for b in range(a + 1, 23) if a % 5 == b % 5]
    monkeypatch.setattr("radvqa.data.leaks.near._BLOCK", 30)
    monkeypatch.setattr("radvqa.data.leaks.near._CONFIRMED", 3)
    assert near_of(*pictures) == whole


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.4, 1.3), st.integers(-10, 15))
def test_brightness_and_contrast_do_not_matter(number: int, gain: float, offset: int) -> None:
    pixels = picture(number).astype(float)
    changed = (110 + gain * (pixels - 110) + offset).round()
    assert 0 <= changed.min() <= changed.max() <= 255
    assert near_of(picture(number), changed.astype(np.uint8)) == [[0, 1]]


def test_planted_copies_are_found(slake: Path, fresh_cache: Path) -> None:
    overlaps = find_leaks(["slake:en"])
    assert [(o.first.name, o.second.name) for o in overlaps] == [
        ("slake:en train", "slake:en validate"),
        ("slake:en train", "slake:en test"),
        ("slake:en validate", "slake:en test"),
    ]
    validate, test, others = overlaps
    assert validate.same_picture.first == validate.same_file.first == {SLAKE.format(3): SLAKE.format(6)}
    assert validate.same_picture.second == {SLAKE.format(6): SLAKE.format(3)}
    assert list(validate.near) == []
    # the same four questions are asked about every picture; of 3 (a lung) and 6 (a liver) no answer is the same
    assert sorted(validate.same_question.second.values()) == sorted(validate.same_question.first)
    assert len(validate.same_question.first) == 4
    assert validate.same_answer.first == {}
    assert test.same_picture.first == {}
    assert [(a, b) for a, b, _ in test.near] == [
        (SLAKE.format(1), SLAKE.format(10)),
        (SLAKE.format(0), SLAKE.format(9)),
    ]
    assert all(LEAST_CORRELATION <= r <= 1 for *_, r in test.near)
    assert len(test.near_question.second) == 8
    assert (others.same_picture.first, list(others.near)) == ({}, [])


def test_equal_pixels_in_another_file_format_are_the_same_picture(tmp_path: Path, fresh_cache: Path) -> None:
    for name, pixels, suffix in (("a", picture(1), "png"), ("b", picture(1), "bmp"), ("b", picture(2), "png")):
        (tmp_path / name).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / name / f"one.{suffix}")
    (overlap,) = find_leaks([str(tmp_path / "a"), str(tmp_path / "b")])
    assert overlap.same_picture.first == {"one.png": "one.bmp"}
    assert overlap.same_file.first == {}
    assert list(overlap.near) == []


def test_a_folder_of_pictures_stands_for_training(slake: Path, tmp_path: Path, fresh_cache: Path) -> None:
    mine = tmp_path / "mine" / "deep"
    mine.mkdir(parents=True)
    shutil.copy(slake / "imgs" / "xmlab11" / "source.jpg", mine / "x.JPG")
    (tmp_path / "mine" / "notes.txt").write_text("no picture", encoding="utf-8")
    overlap = between(find_leaks(["slake:en", str(tmp_path / "mine")]), str(tmp_path / "mine"), "slake:en test")
    assert overlap.same_picture.second == {SLAKE.format(11): "deep/x.JPG"}
    report = leaks(["slake:en", str(tmp_path / "mine")], out=tmp_path / "out", drop="test", by=["pictures"])
    written = {Path(w["path"]).name: (w["kept"], w["left_out"]) for w in report["written"]}
    assert written == {
        "slake-en-validate-clean.json": (8, {"pictures": 4}),
        "slake-en-test-clean.json": (8, {"pictures": 4}),
    }
    assert leaks(["slake:en", str(tmp_path / "mine")], out=tmp_path / "out")["notes"] == [
        f"{tmp_path / 'mine'}: a folder has no rows to leave out; `--drop test` leaves out the test rows "
        "whose pictures it holds."
    ]


def test_looking_again_decodes_nothing(slake: Path, fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = {path: path.name for path in sorted(slake.glob("imgs/*/source.jpg"))}
    first = look_at(paths, Problems())
    assert first.thumbnails.shape == (11, SIDE * SIDE)  # two of the twelve are one
    monkeypatch.setattr("radvqa.data.image.decode", lambda _: pytest.fail("decoded again"))
    again = look_at(paths, Problems())
    assert again.row == first.row
    assert np.array_equal(again.thumbnails, first.thumbnails)


def test_bad_pictures(slake: Path, fresh_cache: Path) -> None:
    (slake / "imgs" / "xmlab0" / "source.jpg").write_bytes(b"no picture")
    (slake / "imgs" / "xmlab9" / "source.jpg").unlink()
    with pytest.raises(DataError, match=r"xmlab9/source.jpg does not exist. It is the picture of .*test.json, row 1"):
        leaks(["slake:en"])
    report = leaks(["slake:en"], skip_bad=True)
    assert len(report["left_out"]) == 2
    assert "not a picture in a known format" in report["left_out"][1]
    test = report["pairs"][1]
    assert test["near"]["touched"] == [1, 1]  # of the two planted copies one is gone


def test_what_cannot_be_compared(slake: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "one").mkdir()
    Image.fromarray(picture(1)).save(tmp_path / "one" / "a.png")
    for names, message in (
        ([str(tmp_path / "empty")], "holds no pictures"),
        ([str(tmp_path / "one")], "no second split to compare with"),
        (["slak"], "'slak' is no folder of pictures. There is no data set 'slak'; did you mean 'slake'"),
        (["slake:fr"], "slake has no version 'fr'"),
        ([str(tmp_path / "gone.json")], "gone.json does not exist"),
    ):
        with pytest.raises(DataError, match=message):
            find_leaks(names)
    with pytest.raises(DataError, match="'nears'; did you mean 'near'"):
        leaks(["slake:en"], by=["nears"])
    with pytest.raises(DataError, match="'train' or 'test', not 'validate'"):
        leaks(["slake:en"], drop="validate")


def test_rephrasings_of_test_rows_are_found(vqa_rad: Path, fresh_cache: Path, tmp_path: Path) -> None:
    (overlap,) = find_leaks(["vqa_rad:mevf"])
    assert overlap.rephrased.first == {
        "vqa_rad/mevf/train/4": "vqa_rad/mevf/test/3",
        "vqa_rad/mevf/train/9": "vqa_rad/mevf/test/8",
    }
    report = leaks(["vqa_rad:mevf"], out=tmp_path, by=["rephrasings"])
    kept = registry.load_split("vqa_rad:mevf", report["written"][0]["path"])
    clean = registry.load_split("vqa_rad:clean", "train")
    assert [(s.image, s.question, s.answer) for s in kept] == [(s.image, s.question, s.answer) for s in clean]
    assert len(kept) == 13
    (official,) = find_leaks(["vqa_rad:official"])
    assert official.rephrased.first == {}
    versions = find_leaks(["vqa_rad:official", "vqa_rad:mevf"])
    crossing = between(versions, "vqa_rad:mevf train", "vqa_rad:official test")
    assert set(crossing.rephrased.first) == set(overlap.rephrased.first)


def test_a_clean_split_has_no_leak_left(slake: Path, fresh_cache: Path, tmp_path: Path) -> None:
    report = leaks(["slake:en"], out=tmp_path / "out")
    files = {Path(w["path"]).name: w for w in report["written"]}
    assert {name: (w["kept"], w["left_out"]) for name, w in files.items()} == {
        "slake-en-train-clean.json": (12, {"questions": 4, "near": 8}),
    }
    content = json.loads((tmp_path / "out" / "slake-en-train-clean.json").read_text(encoding="utf-8"))
    reasons = {row["id"]: row["reason"] for row in content["left_out"]}
    assert reasons["slake/en/train/0"] == "nearly the same picture as xmlab9/source.jpg of slake:en test"
    assert reasons["slake/en/train/18"] == "the same question about the same picture as slake/en/validate/36"
    assert list(reasons) == sorted(reasons, key=lambda id_: int(id_.rpartition("/")[2]))
    path = str(tmp_path / "out" / "slake-en-train-clean.json")
    kept = registry.load_split("slake:en", path)
    assert {s.image for s in kept} == {SLAKE.format(n) for n in (2, 4, 5)}
    assert content["digest"] == fingerprint.of_samples(kept)
    again = find_leaks([path, "slake:en"])
    test = between(again, "slake:en slake-en-train-clean", "slake:en test")
    assert (test.same_picture.first, list(test.near), test.same_question.first) == ({}, [], {})


def test_the_other_side_can_lose_its_rows(slake: Path, fresh_cache: Path, tmp_path: Path) -> None:
    report = leaks(["slake:en"], out=tmp_path, drop="test")
    assert {Path(w["path"]).name: (w["kept"], w["left_out"]) for w in report["written"]} == {
        "slake-en-validate-clean.json": (8, {"questions": 4}),
        "slake-en-test-clean.json": (4, {"near": 8}),
    }


def test_a_split_that_would_lose_every_row_is_refused(vqa_rad: Path, fresh_cache: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="vqa_rad:mevf train would keep none of its 15 rows; let fewer kinds"):
        leaks(["vqa_rad:mevf"], out=tmp_path)


def test_questions_match_but_for_case_and_punctuation(slake: Path, fresh_cache: Path) -> None:
    shutil.copy(slake / "imgs/xmlab5/source.jpg", slake / "imgs/xmlab11/source.jpg")

    def shout(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["question"] = row["question"].upper().replace("?", " ?!")

    change(slake / "test.json", shout)
    for version, count in (("en", 4), ("zh", 2), ("both", 6)):
        test = find_leaks([f"slake:{version}"])[1]
        assert len(test.same_question.second) == len(test.same_answer.second) == count


def test_the_tables(slake: Path, fresh_cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = leaks(["slake:en"], out=tmp_path / "out")
    json.dumps(report, allow_nan=False)
    rows = {row.cells[0]: row.cells[1:] for row in leak_table(report).rows}
    assert rows["slake:en train → slake:en validate"] == ("1 of 3", "0", "4 of 12", "0", "0", "0")
    assert rows["slake:en train → slake:en test"] == ("0", "2 pairs, 2 of 3", "0", "0", "8 of 12", "0")
    assert "slake:en validate → slake:en test" not in rows
    assert "1 other pair of splits shares nothing." in leak_table(report).notes
    assert {row.cells[1] for row in example_table(report).rows} == {
        "same picture",
        "same question",
        "near-duplicate",
        "same question, near-duplicate",
    }
    assert written_table(report).rows[0].cells[0] == "slake-en-train-clean.json"
    assert written_table(report).rows[0].cells[1:] == ("slake:en train", "12", "0", "4", "0", "8")
    show_leaks(report)
    assert "2 pairs, 2 of 3" in capsys.readouterr().out


def real_counts(*names: str) -> dict[tuple[str, str], dict[str, Any]]:
    return {(pair["first"], pair["second"]): pair for pair in leaks(names)["pairs"]}


@pytest.mark.real_data
def test_known_leaks_of_slake() -> None:
    both = real_counts("slake:both")["slake:both train", "slake:both test"]
    assert (both["same_picture"]["touched"], both["pictures"][1]) == ([142, 142], 180)
    english = real_counts("slake:en")["slake:en train", "slake:en test"]
    assert (english["same_picture"]["touched"], english["near"]["pairs"]) == ([0, 0], 27)
    assert english["near"]["touched"][1] == 13


@pytest.mark.real_data
def test_known_leaks_of_vqa_rad() -> None:
    official = real_counts("vqa_rad")["vqa_rad:official train", "vqa_rad:official test"]
    assert (official["same_picture"]["touched"], official["pictures"][1]) == ([202, 202], 203)
    assert official["rephrased"]["touched"] == [0, 0]
    mevf = real_counts("vqa_rad:mevf")["vqa_rad:mevf train", "vqa_rad:mevf test"]
    assert (mevf["same_picture"]["touched"], mevf["pictures"][1]) == ([203, 203], 203)
    assert (mevf["rephrased"]["touched"][0], mevf["same_answer"]["touched"][1]) == (284, 16)
    clean = real_counts("vqa_rad:clean")["vqa_rad:clean train", "vqa_rad:clean test"]
    assert (clean["rephrased"]["touched"], clean["same_answer"]["touched"][1]) == ([0, 0], 1)


@pytest.mark.real_data
def test_pictures_of_vqa_rad_in_medpix() -> None:
    """By the number in the file name 19 pictures are shared, 10 of them test pictures; by what they show, 18 and 11.

    Two of the 19 are cropped in MedPix 2.0 and are not found; one more picture has another number there, and one is
    there twice.
    """
    folder = Path(os.environ["RADVQA_DATA"]) / "medpix2" / "images"
    overlaps = find_leaks(["vqa_rad", str(folder)])
    found: dict[str, set[str]] = {}
    for overlap in overlaps:
        if overlap.first.name == str(folder):
            for theirs, mine, _ in overlap.near:
                found.setdefault(mine, set()).add(theirs)
    assert len(found) == 18
    assert sum(map(len, found.values())) == 19
    test = between(overlaps, str(folder), "vqa_rad:official test")
    assert len(test.near_pictures.second) == 11
    by_number = {path.stem.partition("_")[2]: path.name for path in folder.iterdir()}
    train_or_test = {s.image for s in registry.load("vqa_rad")}
    shared = {image for image in train_or_test if Path(image).stem in by_number}
    assert len(shared) == 19
    assert shared - set(found) == {"synpic32981.jpg", "synpic48749.jpg"}
    assert found.keys() - shared == {"synpic24220.jpg"}
    assert found["synpic24220.jpg"] == {"MPX1792_synpic24221.jpg"}
    assert len(shared & {s.image for s in registry.load_split("vqa_rad", "test")}) == 10
