"""What there is, what is known about it, what of it lies here, and what of it is altered."""

from collections.abc import Callable
from pathlib import Path

import generated_sets
import numpy as np
import pytest
from PIL import Image

from radvqa.commands.catalogue import describe, differences
from radvqa.commands.data import check_data, explain_data, list_data, require_ok
from radvqa.data import presence, registry
from radvqa.data.dataset import Facts, Split, Version
from radvqa.errors import DataError
from radvqa.report.data import show_check, show_explain, show_list

NAMES = (
    *("daquar", "medpix2", "medpix_clinqa", "mimic_cxr_vqa", "path_vqa", "phantom", "pmc_oa", "pmc_vqa"),
    *("roco_qa", "rocov2", "slake", "vqa_rad"),
)


def facts(**changes: object) -> Facts:
    versions = {
        "en": Version("English.", {"train": Split(1000, 10), "test": Split(200, 0)}, files=("a.json", "pictures")),
        "zh": Version("Chinese.", {"train": Split(1000, 10), "dev": Split(0, 0)}, language="zh", files=("b-*.json",)),
    }
    values: dict[str, object] = {
        "title": "Made up",
        "source": "a paper",
        "licence": "CC0",
        "folder": "made_up",
        "default": "en",
        "versions": versions,
    }
    return Facts(**{**values, **changes})  # type: ignore[arg-type]


def test_every_data_set_is_listed_with_its_state_and_how_to_get_it() -> None:
    rows = list_data()
    assert {row["name"].partition(":")[0] for row in rows} == set(NAMES)
    states = {row["name"]: row["state"] for row in rows}
    assert states.pop("phantom:standard") == states.pop("phantom:mini") == "here"
    assert set(states.values()) == {"not here"}  # RADVQA_DATA is not set
    assert all(row["how_to_get"] for row in rows)
    assert sum(row["default"] for row in rows) == len(NAMES)


@pytest.mark.parametrize("name", registry.DATASETS)
def test_every_data_set_can_be_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = explain_data(name)
    assert report["default"] in {version["name"] for version in report["versions"]}
    assert len(report["differences"]) == len(report["versions"]) - 1
    assert all((report["title"], report["licence"], report["source"], report["how_to_get"]))
    if report["folder"]:
        assert report["citation"]
        assert report["address"].startswith("https://")
    show_explain(report)
    shown = " ".join(capsys.readouterr().out.split())
    for sentence in (report["licence"], *report["differences"], *report["notes"]):
        assert " ".join(sentence.split()) in shown


def test_the_explanation_of_vqa_rad_tells_its_versions_apart() -> None:
    report = explain_data("vqa_rad:mevf")
    assert "mevf beside official: 3,064 in train instead of 1,797; as many rows in test (451)." in report["differences"]
    mevf = next(version for version in report["versions"] if version["name"] == "mevf")
    assert mevf["splits"]["train"]["rows"] == 3064
    assert mevf["warning"].startswith("284 of the 3,064 training rows rephrase test rows")


def test_versions_are_told_apart_by_language_splits_and_rows() -> None:
    assert differences(facts()) == [
        "zh beside en: language zh instead of en; as many rows in train (1,000); a split dev of an unpublished number; "
        "no split test."
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Get it from a paper and put it into made_up/ below RADVQA_DATA."),
        (
            {"address": "https://example.org"},
            "Get it from https://example.org and put it into made_up/ below RADVQA_DATA.",
        ),
        ({"how_to_get": "Ask."}, "Ask."),
        ({"folder": ""}, "Nothing to get: it is made here on first use."),
    ],
)
def test_how_to_get_it_is_always_said(changes: dict[str, object], expected: str) -> None:
    assert describe("made_up", facts(**changes))["how_to_get"] == expected


def test_what_can_be_fetched_says_so() -> None:
    assert explain_data("slake")["how_to_get"].startswith("`radvqa data fetch slake` downloads it.")
    assert explain_data("roco_qa")["how_to_get"].count("radvqa data fetch") == 1
    assert explain_data("slake")["fetchable"] is True
    assert explain_data("mimic_cxr_vqa")["fetchable"] is False


def test_the_state_follows_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = facts()
    english, chinese = known.versions["en"], known.versions["zh"]
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    assert presence.of_version(known, english) == presence.Presence("not here", ("made_up/",))
    (tmp_path / "made_up" / "pictures").mkdir(parents=True)
    assert presence.of_version(known, english) == presence.Presence(
        "not here", ("a.json",)
    )  # pictures alone are nothing
    (tmp_path / "made_up" / "a.json").touch()
    assert presence.of_version(known, english) == presence.Presence("here")
    assert presence.of_version(known, chinese) == presence.Presence("not here", ("b-*.json",))
    (tmp_path / "made_up" / "b-00001.json").touch()
    assert presence.of_version(known, chinese) == presence.Presence("here")
    (tmp_path / "made_up" / "pictures").rmdir()
    assert presence.of_version(known, english) == presence.Presence("partly", ("pictures",))
    assert presence.of_all([presence.Presence("here"), presence.Presence("not here")]) == "partly"
    assert presence.of_all([presence.Presence("here")] * 2) == "here"
    monkeypatch.delenv("RADVQA_DATA")
    assert presence.of_version(known, english).state == "not here"


def test_the_list_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    generated_sets.roco_qa(tmp_path / "roco_qa")
    generated_sets.medpix2(tmp_path / "medpix2")
    rows = {row["name"]: row for row in list_data()}
    assert (rows["medpix2:captions"]["state"], rows["medpix2:captions"]["present"]) == ("here", True)
    assert (rows["roco_qa:questions"]["state"], rows["roco_qa:questions"]["missing"]) == ("partly", ["images"])
    assert (rows["roco_qa:hf"]["state"], rows["roco_qa:hf"]["present"]) == ("not here", False)
    assert explain_data("roco_qa")["state"] == "partly"
    show_list(list(rows.values()))
    shown = capsys.readouterr().out
    assert "roco_qa:questions: not here: images\n" in shown
    assert f"rocov2: {rows['rocov2:captions']['how_to_get']}\n" in shown
    assert "\nmedpix2: " not in shown  # nothing of it is left to get


def test_a_check_names_the_altered_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    images = generated_sets.medpix2(tmp_path / "medpix2") / "images"
    report = check_data("medpix2")
    assert report["altered"] == [
        "5 of 5 pictures are .jpg files; .png was published.",
        "No picture is longer than 32 px: they were made smaller.",
    ]
    show_check(report)
    shown = capsys.readouterr().out
    assert f"Altered: {report['altered'][0]}\n" in shown
    assert f"Smaller copies: {report['smaller_copies']}\n" in shown
    for path in sorted(images.iterdir()):
        Image.fromarray(np.full((300, 300), 9, np.uint8)).save(path.with_suffix(".png"))
        path.unlink()
    assert check_data("medpix2")["altered"] == []  # as published


def test_an_unpublished_number_cannot_be_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    monkeypatch.setenv("RADVQA_CACHE", str(tmp_path / "cache"))
    data = generated_sets.roco_qa_of_the_hub(tmp_path / "roco_qa", splits={"Train": 3}, repository="ROCO-QA-Train")
    report = check_data("roco_qa:hf_train")
    require_ok(report)
    show_check(report)
    assert "3 of ?" in capsys.readouterr().out
    generated_sets.roco_qa_of_the_hub(tmp_path / "roco_qa", splits={"Vaild": 2, "Test": 2})
    with pytest.raises(DataError, match=r"Vaild: 2 rows on 2 images \(published 8175 on an unpublished number\)"):
        require_ok(check_data("roco_qa:hf"))
    assert data.is_dir()


def test_absent_pictures_that_belong_to_a_data_set_are_an_error(mini_slake: Path) -> None:
    for path in (mini_slake / "imgs").glob("*/source.jpg"):
        path.unlink()
    with pytest.raises(DataError, match=r"source\.jpg does not exist"):
        check_data("slake")
    report = check_data("slake", skip_bad=True)
    assert (report["pictures_decoded"], len(report["left_out"]), report["pictures_apart"]) == (0, 12, "")


def test_a_table_of_ones_own_is_explained(tmp_path: Path) -> None:
    generated_sets.picture(tmp_path / "images" / "a.png", 3)
    (tmp_path / "rows.csv").write_text("image,question,answer,split\na.png,What?,That,train\n", encoding="utf-8")
    columns = "{image: image, question: question, answer: answer, split: split}"
    (tmp_path / "mine.yaml").write_text(
        f"name: mine\nkind: table\nfile: rows.csv\nimages: images\ncolumns: {columns}\n", encoding="utf-8"
    )
    report = explain_data(str(tmp_path / "mine.yaml"))
    assert (report["name"], report["state"]) == ("mine", "here")
    assert report["versions"][0]["splits"]["train"]["rows"] == 1


@pytest.mark.parametrize(
    ("name", "message"), [("slak", "did you mean 'slake'"), ("slake:fr", "slake has no version 'fr'")]
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        explain_data(name)


_CHECKED = ("slake:en", "vqa_rad:official", "path_vqa:json", "daquar:all", "medpix2", "medpix_clinqa", "roco_qa")


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize("name", _CHECKED)
def test_the_published_data_pass_their_checks(name: str) -> None:
    report = check_data(name)
    require_ok(report)
    assert all(split["rows"] == split["rows_published"] for split in report["splits"].values())


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "is_altered"),
    [
        ("vqa_rad", lambda report: report["altered"] == [] and not report["smaller_copies"]),
        (
            "medpix2",
            lambda report: report["altered"][0] == "2,050 of 2,050 pictures are .jpg files; .png was published.",
        ),
        ("path_vqa", lambda report: "No picture is longer than 256 px: they were made smaller." in report["altered"]),
        ("daquar", lambda report: "No picture is longer than 256 px: they were made smaller." in report["altered"]),
        ("slake", lambda report: report["altered"] == [] and "mask.png" in report["smaller_copies"]),
    ],
)
def test_the_altered_parts_of_the_published_data_are_named(name: str, is_altered: Callable[[object], bool]) -> None:
    assert is_altered(check_data(name))
