"""What data sets hold, counted: by hand on a few rows, against numpy, and seed 000's numbers on the real data."""

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leak_data import pictured_slake
from PIL import Image

from miniature import change
from radvqa.commands.explore import explore
from radvqa.data import registry
from radvqa.data.explore.against import Training, training_split
from radvqa.data.explore.mix import mix
from radvqa.data.explore.regions import region_of
from radvqa.data.explore.sizes import Header, count_sizes, read_headers
from radvqa.data.explore.split import count_split
from radvqa.data.explore.texts import Text, Texts
from radvqa.errors import DataError, ImageError
from radvqa.sample import AnswerType, Sample


def row(number: int, question: str, answer: str, kind: AnswerType = "OPEN", image: str = "", **more: Any) -> Sample:
    image = image or f"{number}.png"
    return Sample(f"x/{number}", "x:y", "train", image, Path(image), question, answer, kind, **more)


ROWS = [
    row(0, "Is this a CT?", "Yes", "CLOSED", "a.png", question_type="Modality", organ="Lung"),
    row(1, "Is this a CT?", "yes.", "CLOSED", "b.png", question_type="Modality", organ="Lung"),
    row(2, "Is this a CT?", "no", "CLOSED", "b.png", question_type="Modality"),
    row(3, "Is this an X-Ray?", "X-Ray", "OPEN", "b.png", question_type="Plane", case="p1"),
    row(4, "Which organ?", "left lung", "OPEN", "c.png", question_type="Organ", case="p1"),
]


def test_the_numbers_of_a_split_by_hand() -> None:
    counts = count_split(ROWS, Texts("seed000"))
    assert (counts["rows"], counts["images"], counts["cases"]) == (5, 3, 1)
    assert counts["questions"] == {"raw": 3, "lower": 3, "normalised": 3}
    assert counts["vocabulary"] == len({"is", "this", "a", "ct", "an", "xray", "which", "organ"})
    assert counts["question_length"] == {"mean": 3.6, "max": 4, "histogram": [0, 0, 1, 0, 4]}
    assert counts["answer_length"] == {"mean": 1.2, "max": 2, "histogram": [0, 4, 1]}
    answers = counts["answers"]
    assert (answers["raw"], answers["lower"], answers["normalised"], answers["once"]) == (5, 5, 4, 3)
    assert answers["top"] == [["yes", 2], ["left lung", 1], ["no", 1], ["xray", 1]]
    assert answers["spread"] == [[2, 1], [1, 3]]
    assert answers["percentiles"] == pytest.approx({"50": 1, "75": 1.25, "90": 1.7, "95": 1.85, "99": 1.97, "100": 2})
    assert counts["answer_types"]["CLOSED"] == {
        "rows": 3,
        "unique": 2,
        "top": [["yes", 2], ["no", 1]],
        "spread": [[2, 1], [1, 1]],
    }
    assert counts["question_types"] == {"Modality": 3, "Organ": 1, "Plane": 1}
    assert counts["organs"] == {"": 3, "Lung": 2}
    assert counts["repeated"] == {"rows": 1, "otherwise": 1}
    assert counts["words"] == {"question": 4 + 4 + 4 + 4 + 2, "options": 0, "answer": 6, "context": 0}


def test_a_split_without_rows_has_no_means() -> None:
    counts = count_split([], Texts("seed000"))
    assert counts["question_length"] == {"mean": None, "max": 0, "histogram": [0]}
    assert counts["answers"]["percentiles"] == {}
    json.dumps(counts, allow_nan=False)


def test_captions_case_texts_and_options() -> None:
    rows = [
        row(0, "", "A large mass.", image="a.png", task="caption"),
        row(1, "", "A large mass.", image="a.png", task="caption"),
        row(2, "Which?", "B C", image="a.png", task="choice", options=("A", "B C"), context="Old man, cough."),
    ]
    counts = count_split(rows, Texts("seed000"))
    assert counts["repeated"] == {"rows": 0, "otherwise": 0}, "captions answer no question"
    assert counts["questions"] == {"raw": 1, "lower": 1, "normalised": 1}
    assert counts["words"] == {"question": 1, "options": 3, "answer": 8, "context": 3}
    assert counts["tasks"] == {"caption": 2, "choice": 1}
    assert Training(rows[:1], Texts("seed000")).against(rows)["questions_seen"] == {"verbatim": 0, "normalised": 0}


def test_chinese_signs_are_words() -> None:
    assert Texts("unicode").of("图中有肝脏吗? CT") == Text("图中有肝脏吗 ct", 7, 8, 8)
    assert Texts("unicode").of("X-Ray 肺") == Text("xray 肺", 2, 2, 3)


ANSWERS = st.lists(st.sampled_from(["Yes", "yes", "No!", "no", "left lung", "a b c d", "?", "肺"]), min_size=1)


@given(ANSWERS, st.randoms())
@settings(max_examples=60)
def test_sums_are_whole_and_the_order_of_rows_does_not_matter(answers: list[str], order: random.Random) -> None:
    rows = [
        row(n, f"Is it {answer}?", answer, ("OPEN", "CLOSED")[n % 2], image=f"{n % 3}.png")
        for n, answer in enumerate(answers)
    ]
    texts = Texts("seed000")
    counts = count_split(rows, texts)
    for key in ("question_length", "answer_length"):
        assert sum(counts[key]["histogram"]) == len(rows)
        assert len(counts[key]["histogram"]) == counts[key]["max"] + 1
    times = Counter(texts.of(answer).normalised for answer in answers)
    assert sum(t * n for t, n in counts["answers"]["spread"]) == len(rows)
    assert sum(n for _, n in counts["answers"]["spread"]) == counts["answers"]["normalised"] == len(times)
    reference = np.percentile(list(times.values()), [50, 75, 90, 95, 99, 100])
    assert list(counts["answers"]["percentiles"].values()) == pytest.approx(reference.tolist())
    order.shuffle(rows)
    shuffled = count_split(rows, Texts("seed000"))
    del counts["repeated"]["otherwise"], shuffled["repeated"]["otherwise"]  # differs from the first, whichever that is
    assert shuffled == counts


def test_what_training_has_seen() -> None:
    test = [
        row(10, "Is this a CT?", "YES", "CLOSED", "b.png"),
        row(11, "is this a ct", "no", "CLOSED"),
        row(12, "Which spleen?", "Spleen", "OPEN"),
        row(13, "Which organ?", "maybe", "CLOSED"),
        row(14, "Which organ?", "Maybe!", "CLOSED"),
    ]
    assert Training(ROWS, Texts("seed000")).against(test) == {
        "rows": 5,
        "unseen_answers": {"rows": 3, "OPEN": 1, "CLOSED": 2, "distinct": 2, "examples": ["Spleen", "maybe", "Maybe!"]},
        "questions_seen": {"verbatim": 3, "normalised": 4},
        "pairs_seen": 1,
        "new_words": 1,
    }


@pytest.mark.parametrize(
    ("splits", "learnt"),
    [(["test", "train"], "train"), (["train_1", "train_2", "dev"], "train_1"), (["all"], None), ([], None)],
)
def test_which_split_is_learnt_from(splits: list[str], learnt: str | None) -> None:
    assert training_split(splits) == learnt


def test_headers_tell_size_and_colours(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "rgb.png")
    Image.fromarray(noise[..., 0]).save(tmp_path / "grey.jpg")
    Image.fromarray(noise[..., 0].astype(np.uint16) * 16).save(tmp_path / "deep.png")
    Image.fromarray(noise).save(tmp_path / "late.tif")  # its directory stands behind the pixels
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(noise).save(tmp_path / "turned.jpg", exif=turned, quality=95)
    whole = (tmp_path / "turned.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "broken.png").write_bytes(b"no picture")
    names = ["rgb.png", "grey.jpg", "deep.png", "late.tif", "turned.jpg", "cut.jpg", "broken.png", "absent.png"]
    headers = read_headers(tmp_path / name for name in [*names, *names])
    found = {path.name: header for path, header in headers.items()}
    assert found["rgb.png"] == found["late.tif"] == Header(90, 60, True)
    assert found["grey.jpg"] == found["deep.png"] == Header(90, 60, False)
    assert found["turned.jpg"] == Header(60, 90, True), "turned upright, as decoding does"
    assert found["cut.jpg"] == Header(60, 90, True), "no pixel is needed"
    assert isinstance(found["broken.png"], ImageError)
    assert "does not exist" in str(found["absent.png"])
    counts = count_sizes(headers, headers)
    assert (counts["pictures"], counts["grey"], counts["colour"], counts["unreadable"]) == (6, 2, 4, 2)
    assert counts["width"] == [60, 90, 90]
    assert counts["top"] == [[90, 60, 4], [60, 90, 2]]
    assert (counts["step"], counts["cells"]) == (4, [[15, 22, 2], [22, 15, 4]])
    assert "broken.png" in counts["why"]


@pytest.mark.parametrize(
    ("label", "region"),
    [
        ("Brain_Tissue", "Head"),
        ("Brain_Face", "Head"),
        ("Chest_mediastinal", "Chest"),
        ("Lung", "Chest"),
        ("Pelvic Cavity", "Pelvis"),
        ("NECK", "Neck"),
        ("Skin", "Skin"),
        ("", ""),
    ],
)
def test_labels_belong_to_regions(label: str, region: str) -> None:
    assert region_of(label) == region


def data_set(name: str, rows: list[Sample]) -> dict[str, Any]:
    return {"name": name, "all": count_split(rows, Texts("seed000"))}


def test_labels_of_several_data_sets_meet() -> None:
    other = [
        row(0, "Where?", "here", question_type="ORGAN", organ="chest_heart", modality="CT"),
        row(1, "Where is it?", "there", question_type="odd  kind", organ="Skin", modality="CT"),
        row(2, "Where is it?", "there", question_type="Odd_kind", modality="CT"),
    ]
    found = mix([data_set("a", ROWS), data_set("b", other)], image_tokens=10)
    assert found["categories"] == [
        {"label": "Modality", "rows": [3, 0]},
        {"label": "Odd_kind", "rows": [0, 2]},
        {"label": "Organ", "rows": [1, 1]},
        {"label": "Plane", "rows": [1, 0]},
    ]
    assert found["regions"] == [
        {"label": "Chest", "rows": [2, 1]},
        {"label": "Skin", "rows": [0, 1]},
        {"label": "", "rows": [3, 1]},
    ]
    assert found["modalities"] == [{"label": "CT", "rows": [0, 3]}, {"label": "", "rows": [5, 0]}]
    totals = found["totals"]
    assert [total["image_tokens"] for total in totals] == [50, 30]
    # Where? | here | Where is it? | there, twice: letters / 4, rounded up for each word
    assert totals[1]["text_tokens"] == 2 + 1 + 2 * (2 + 1 + 1 + 2)
    assert sum(total["share"] for total in totals) == pytest.approx(1)
    assert totals[1]["share"] == pytest.approx((30 + 15) / (30 + 15 + 50 + totals[0]["text_tokens"]))


def test_exploring_the_made_up_slake(mini_slake: Path) -> None:
    found = explore(["slake:en", "slake:zh", "slake"])
    json.dumps(found, allow_nan=False)
    assert found["names"] == ["slake:en", "slake:zh"], "a data set that is named twice is counted once"
    english, chinese = found["data_sets"]
    assert (english["normaliser"], chinese["normaliser"]) == ("seed000", "unicode")
    assert english["training"] == "train"
    train, test = english["splits"]["train"], english["splits"]["test"]
    assert (train["rows"], train["images"], train["vocabulary"]) == (24, 6, 16)
    assert train["answers"]["top"] == [["no", 6], ["yes", 6], ["ct", 3], ["liver", 3], ["lung", 3], ["xray", 3]]
    assert train["pictures"]["top"] == [[40, 30, 6]]
    assert train["against_training"] is None
    assert test["against_training"]["questions_seen"] == {"verbatim": 12, "normalised": 12}
    assert english["all"]["rows"] == sum(split["rows"] for split in english["splits"].values())
    assert chinese["splits"]["train"]["question_length"]["histogram"] == [0] * 6 + [6, 6]
    assert len(english["shown"]) == 6, "every training picture once"
    assert len({sample["image"] for sample in english["shown"]}) == 6
    assert found["near"] is None
    assert found["data_sets"] == explore(["slake:en", "slake:zh"])["data_sets"], "the same samples every time"


def test_near_duplicates_within_and_between_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_cache: Path
) -> None:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path / "data"))
    folder = pictured_slake(tmp_path / "data" / "slake")
    pixels = np.asarray(Image.open(folder / "imgs/xmlab4/source.jpg"))
    Image.fromarray(pixels).save(folder / "imgs/xmlab5/source.jpg", quality=60)
    near = explore(["slake:en"], near=True)["near"]
    found = {(p["first"][9:], p["second"][9:]): (p["same"], p["near"], p["touched"]) for p in near["pairs"]}
    assert found == {
        ("train", "train"): (0, 1, [2, 2]),
        ("train", "validate"): (1, 0, [0, 0]),
        ("train", "test"): (0, 2, [2, 2]),
    }


def test_bad_rows_and_absent_pictures(mini_slake: Path) -> None:
    def spoil(rows: list[dict[str, Any]]) -> None:
        del rows[0]["answer"]

    change(mini_slake / "train.json", spoil)
    with pytest.raises(DataError, match=r"train\.json, row 1: the key 'answer' is missing"):
        explore(["slake"])
    (mini_slake / "imgs/xmlab3/source.jpg").unlink()
    found = explore(["slake"], skip_bad=True)
    assert len(found["left_out"]) == 1
    pictures = found["data_sets"][0]["splits"]["train"]["pictures"]
    assert (pictures["pictures"], pictures["unreadable"]) == (5, 1)
    assert "xmlab3" in pictures["why"]
    assert all(sample["image"] != "xmlab3/source.jpg" for sample in found["data_sets"][0]["shown"])


def test_mistakes_are_named(mini_slake: Path) -> None:
    with pytest.raises(DataError, match="There is nothing to explore"):
        explore([])
    with pytest.raises(DataError, match="did you mean 'slake'"):
        explore(["slaek"])
    with pytest.raises(DataError, match="cannot have -1 tokens"):
        explore(["slake"], image_tokens=-1)


def test_a_hundred_thousand_rows_hold_on_to_little() -> None:
    """Equal texts are measured once; numbers of all rows are lists no longer than the longest text."""
    texts = Texts("seed000")
    rows = [replace(ROWS[n % 5], id=str(n), image=f"{n}.png") for n in range(100_000)]
    counts = count_split(rows, texts)
    assert counts["answers"]["spread"] == [[40_000, 1], [20_000, 3]]
    assert len(json.dumps(counts)) < 3000


@pytest.mark.real_data
def test_the_numbers_of_seed_000() -> None:
    """Section by section what the seed's EDA gives on SLAKE's English rows, recomputed from the published files."""
    (english,) = explore(["slake:en"])["data_sets"]
    train, validate, test = (english["splits"][split] for split in ("train", "validate", "test"))
    assert [split["rows"] for split in (train, validate, test)] == [4919, 1053, 1061]
    assert [split["images"] for split in (train, validate, test)] == [450, 96, 96]
    types = [[s["answer_types"][kind]["rows"] for kind in ("OPEN", "CLOSED")] for s in (train, validate, test)]
    assert types == [[2976, 1943], [631, 422], [645, 416]]
    kinds = ["Organ", "Position", "Abnormality", "KG", "Modality", "Size", "Plane", "Quantity", "Color", "Shape"]
    by_kind = [[split["question_types"][kind] for kind in kinds] for split in (train, validate, test)]
    assert by_kind == [
        [1269, 847, 716, 582, 534, 323, 249, 220, 137, 42],
        [254, 183, 132, 155, 110, 59, 62, 56, 31, 11],
        [253, 186, 150, 148, 108, 65, 58, 52, 34, 7],
    ]
    modalities = [[s["modalities"][m] for m in ("CT", "X-Ray", "MRI")] for s in (train, validate, test)]
    assert modalities == [[2367, 1423, 1129], [482, 338, 233], [472, 361, 228]]
    assert train["vocabulary"] + 2 == 292
    assert [split["question_length"]["max"] for split in (train, validate, test)] == [21, 21, 21]
    assert round(train["question_length"]["mean"], 2) == 7.95
    assert train["answer_length"]["max"] == 12
    assert round(train["answer_length"]["mean"], 2) == 1.38
    answers = train["answers"]
    assert [answers[form] for form in ("raw", "lower", "normalised")] == [228, 221, 220]
    assert [round(value, 1) for value in answers["percentiles"].values()] == [4, 11, 32.3, 99.2, 246.7, 864]
    assert answers["top"][:5] == [["yes", 864], ["no", 817], ["lung", 253], ["chest", 220], ["liver", 159]]
    closed, opened = (train["answer_types"][kind] for kind in ("CLOSED", "OPEN"))
    assert (closed["unique"], opened["unique"]) == (33, 216)
    assert dict(closed["top"][:6]) == {
        "yes": 864,
        "no": 817,
        "lung": 69,
        "liver": 41,
        "heart": 21,
        "transverse plane": 13,
    }
    unseen = [split["against_training"]["unseen_answers"] for split in (validate, test)]
    assert [(found["OPEN"], found["CLOSED"]) for found in unseen] == [(3, 0), (2, 0)]
    assert unseen[1]["examples"] == ["Lung, Spinal Cord", "Atelectasis, Mass"]
    assert test["answers"]["normalised"] == 131
    assert test["against_training"]["questions_seen"]["verbatim"] == 997
    assert test["answer_types"]["CLOSED"]["top"][:2] == [["no", 180], ["yes", 175]]
    assert train["repeated"]["rows"] == 7
    assert english["all"]["pictures"]["width"][::2] == [240, 1024]


@pytest.mark.real_data
def test_the_base_type_of_slake_is_that_of_the_kg_questions() -> None:
    """Samples do not keep ``base_type``: its ``kvqa`` rows are those of the content type KG."""
    folder = registry.select("slake:en").folder
    for file in ("train", "validate", "test"):
        rows = json.loads((folder / f"{file}.json").read_text(encoding="utf-8"))
        assert all((r["base_type"] == "kvqa") == (r["content_type"] == "KG") for r in rows if r["q_lang"] == "en")


@pytest.mark.real_data
def test_three_data_sets_side_by_side() -> None:
    found = explore(["slake:en", "vqa_rad", "phantom:mini"])
    regions = {entry["label"]: entry["rows"] for entry in found["mix"]["regions"]}
    assert list(regions) == ["Chest", "Abdomen", "Head", "Pelvis", "Neck"]
    assert [sum(rows[place] for rows in regions.values()) for place in range(3)] == [7033, 2248, 540]
    assert next(e for e in found["mix"]["modalities"] if not e["label"])["rows"] == [0, 2248, 0]
    assert found["data_sets"][1]["splits"]["test"]["against_training"]["unseen_answers"]["rows"] == 114
