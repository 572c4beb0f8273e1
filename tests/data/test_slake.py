"""SLAKE: a made-up miniature in the published layout, and the published files themselves."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from miniature import MASK_TXT, change
from radvqa import fingerprint
from radvqa.commands.data import check_data, require_ok
from radvqa.data import registry
from radvqa.data.dataset import DataSet, Problems
from radvqa.errors import DataError
from radvqa.sample import Region

BOX = (4 / 40, 6 / 30, 10 / 40, 9 / 30)


def regions(image: str) -> dict[str, Region]:
    return {region.label: region for region in registry.regions("slake", image)}


def test_rows_become_samples(mini_slake: Path) -> None:
    sample = registry.load("slake")[5]
    assert sample.id == "slake/en/train/7"
    assert (sample.dataset, sample.split, sample.image) == ("slake:en", "train", "xmlab1/source.jpg")
    assert sample.image_path == mini_slake / "imgs" / "xmlab1" / "source.jpg"
    assert (sample.question, sample.answer) == ("Which organ is shown?", "Lung")
    assert (sample.answer_type, sample.question_type) == ("OPEN", "Organ")
    assert (sample.language, sample.organ, sample.modality) == ("en", "Chest", "X-Ray")
    assert sample.source == f"{mini_slake / 'train.json'}, row 8"
    assert (sample.case, sample.twin) == ("", "")


def test_languages_are_never_mixed(mini_slake: Path) -> None:
    english, chinese = registry.load("slake:en"), registry.load("slake:zh")
    assert (len(english), len(chinese)) == (48, 24)
    assert {s.language for s in english} == {"en"}
    assert {s.language for s in chinese} == {"zh"}
    assert not {s.id for s in english} & {s.id for s in chinese}
    assert all(s.question.isascii() for s in english)
    assert not any(s.question.isascii() for s in chinese)
    assert registry.load("slake") == english  # English is the default


def test_both_languages_on_request_with_a_warning(mini_slake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry._warn.cache_clear()
    both = registry.load("slake:both")
    registry.load_split("slake:both", "test")
    said = capsys.readouterr().err
    assert said.count("slake:both: English and Chinese split the images differently, so 142 of the 180 test") == 1
    assert len({s.id for s in both}) == len(both) == 72
    assert {s.dataset for s in both} == {"slake:both"}
    parts = [s for version in ("en", "zh") for s in registry.load(f"slake:{version}")]
    assert capsys.readouterr().err == ""
    assert {(s.question, s.image, s.language) for s in both} == {(s.question, s.image, s.language) for s in parts}
    assert [s.id for s in both[4:6]] == ["slake/both/train/4", "slake/both/train/5"]  # in the order of the file


def test_splits_keep_their_order(mini_slake: Path) -> None:
    assert [s.split for s in registry.load("slake")] == ["train"] * 24 + ["validate"] * 12 + ["test"] * 12
    assert [s.image for s in registry.load_split("slake", "test")[::4]] == [f"xmlab{n}/source.jpg" for n in (9, 10, 11)]


def test_regions_by_hand(mini_slake: Path) -> None:
    assert set(regions("xmlab0/source.jpg")) == {"Liver"}
    found = regions("xmlab1/source.jpg")
    assert set(found) == {"Left Lung", "Cardiomegaly"}
    lung = found["Left Lung"]
    assert lung.box == pytest.approx(BOX)
    assert lung.kind == "organ"
    assert lung.mask is not None
    expected = np.zeros((30, 40), bool)
    expected[6:15, 4:14] = True
    assert np.array_equal(lung.mask, expected)
    heart = found["Cardiomegaly"]  # a finding without a code in mask.txt: its box only
    assert (heart.kind, heart.mask) == ("finding", None)
    assert heart.box == pytest.approx((0.5, 0.5, 0.2, 0.1))


def test_blurred_edges_of_a_mask_move_to_the_nearest_code_in_quantity(mini_slake: Path) -> None:
    path = mini_slake / "imgs" / "xmlab0" / "mask.png"
    mask = np.asarray(Image.open(path))[..., 0].copy()
    mask[0, 0], mask[0, 1] = 72, 30  # nearest to 70 (liver) and to 0 (nothing)
    Image.fromarray(mask).save(path)
    liver = regions("xmlab0/source.jpg")["Liver"].mask
    assert liver is not None
    assert (liver[0, 0], liver[0, 1], liver.sum()) == (True, False, 91)


def test_a_label_without_pixels_has_a_box_only(mini_slake: Path) -> None:
    change(mini_slake / "imgs/xmlab0/detection.json", lambda boxes: boxes.append({"Spleen": [0, 0, 4, 3]}))
    spleen = regions("xmlab0/source.jpg")["Spleen"]
    assert (spleen.mask, spleen.box) == (None, (0, 0, 0.1, 0.1))
    assert "230:Spleen" in MASK_TXT


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"Liver": [1, 2, 3, 4]}', "expected a JSON list"),
        ('[{"Liver": [1, 2, 3, 4]}, {"Spleen": [1, 2]}]', r"row 2: expected \{label: \[x, y, w, h\]\}"),
        ('[{"Liver": [1, 2, 3, 4], "Spleen": [1, 2, 3, 4]}]', "row 1: expected"),
        ('[{"Liver": [1, 2, 3, "4"]}]', "row 1: expected"),
        ("[[1, 2]]", "row 1: expected"),
        ("[{]", "is not valid JSON"),
    ],
)
def test_a_damaged_detection_file_is_named(mini_slake: Path, content: str, message: str) -> None:
    path = mini_slake / "imgs/xmlab0/detection.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        regions("xmlab0/source.jpg")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["imgs/xmlab0/detection.json", "imgs/xmlab0/mask.png", "mask.txt"])
def test_a_missing_file_of_regions_is_named(mini_slake: Path, name: str) -> None:
    (mini_slake / name).unlink()
    with pytest.raises(DataError, match="does not exist"):
        regions("xmlab0/source.jpg")


def test_a_check_says_that_the_miniature_is_not_the_published_data(mini_slake: Path) -> None:
    report = check_data("slake")
    assert report["ok"] is False
    assert report["pictures_decoded"] == 12
    assert (report["splits"]["train"]["rows"], report["splits"]["train"]["rows_published"]) == (24, 4919)
    with pytest.raises(DataError, match=r"train: 24 rows on 6 images \(published 4919 on 450\), other content"):
        require_ok(report)


def test_a_digest_depends_on_content_and_order_and_not_on_the_place(mini_slake: Path) -> None:
    digest = fingerprint.of_samples(registry.load("slake"))
    moved = mini_slake.rename(mini_slake.with_name("elsewhere"))
    data_set: DataSet = registry.select("slake").data_set
    elsewhere = data_set.load(moved, "en", Problems())
    assert fingerprint.of_samples(elsewhere) == digest
    assert fingerprint.of_samples(elsewhere[::-1]) != digest
    change(moved / "train.json", lambda rows: rows[0].update(answer="CT."))
    assert fingerprint.of_samples(data_set.load(moved, "en", Problems())) != digest


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("version", "counts"), [("en", (4919, 1053, 1061)), ("zh", (4916, 1046, 1033))], ids=["en", "zh"]
)
def test_the_published_rows(version: str, counts: tuple[int, int, int]) -> None:
    selection = registry.select(f"slake:{version}")
    samples = registry.load(selection.name)
    images = []
    for (split, facts), count in zip(selection.version.splits.items(), counts, strict=True):
        part = [s for s in samples if s.split == split]
        assert len(part) == facts.rows == count
        assert fingerprint.of_samples(part) == facts.digest
        images.append({s.image for s in part})
        assert len(images[-1]) == facts.images
    assert len(set.union(*images)) == sum(map(len, images)), "the splits share no image"
    assert {s.language for s in samples} == {version}


@pytest.mark.real_data
def test_the_published_rows_of_both_languages() -> None:
    selection = registry.select("slake:both")
    samples = registry.load(selection.name)
    images = {}
    for split, facts in selection.version.splits.items():
        part = [s for s in samples if s.split == split]
        images[split] = {s.image for s in part}
        assert (len(part), len(images[split])) == (facts.rows, facts.images)
        assert fingerprint.of_samples(part) == facts.digest
    assert (len(images["train"] & images["test"]), len(images["test"])) == (142, 180)


@pytest.mark.real_data
@pytest.mark.slow
def test_the_published_pictures_are_all_there() -> None:
    report = check_data("slake:en")
    assert report["ok"] is True
    assert report["pictures_decoded"] == 642


@pytest.mark.real_data
def test_published_masks_fill_their_boxes() -> None:
    found = regions("xmlab0/source.jpg")
    assert {label: region.box for label, region in found.items()} == {
        "Liver": (33 / 256, 67 / 256, 98 / 256, 108 / 256),
        "Left Kidney": (148 / 256, 142 / 256, 46 / 256, 32 / 256),
        "Right Kidney": (65 / 256, 138 / 256, 41 / 256, 37 / 256),
        "Spleen": (197 / 256, 118 / 256, 21 / 256, 47 / 256),
    }
    for region in found.values():
        assert region.mask is not None
        rows, columns = np.where(region.mask)
        left, top = columns.min(), rows.min()
        box = (left, top, columns.max() + 1 - left, rows.max() + 1 - top)
        assert tuple(side / 256 for side in box) == region.box


@pytest.mark.real_data
def test_the_published_content_types() -> None:
    published = {
        "train": (1269, 847, 716, 582, 534, 323, 249, 220, 137, 42),
        "validate": (254, 183, 132, 155, 110, 59, 62, 56, 31, 11),
        "test": (253, 186, 150, 148, 108, 65, 58, 52, 34, 7),
    }
    kinds = ("Organ", "Position", "Abnormality", "KG", "Modality", "Size", "Plane", "Quantity", "Color", "Shape")
    samples = registry.load("slake:en")
    for split, counts in published.items():
        found = Counter(s.question_type for s in samples if s.split == split)
        assert dict(found) == dict(zip(kinds, counts, strict=True))


@pytest.mark.real_data
@pytest.mark.slow
def test_published_boxes_and_masks_of_every_picture() -> None:
    images = {s.image: s for s in registry.load("slake:both")}
    found = {image: registry.regions("slake", image) for image in images}
    boxes = {image: len(regions) for image, regions in found.items() if regions}
    assert (len(images), len(boxes), sum(boxes.values())) == (642, 580, 1622)
    tested = {s.image for s in registry.load_split("slake:en", "test")}
    assert (len(tested & set(boxes)), sum(boxes.get(image, 0) for image in tested)) == (87, 231)
    # mask.png of a chest X-ray is the picture itself with boxes drawn in, and must not pass for a mask
    chests = [image for image, s in images.items() if (s.modality, s.organ) == ("X-Ray", "Lung")]
    assert len(chests) == 179
    assert all(region.mask is None and region.kind == "finding" for image in chests for region in found[image])
    others = [region for image in set(images) - set(chests) for region in found[image]]
    assert sum(region.mask is not None for region in others) == 1381
    agree = []
    for image in set(images) - set(chests):
        labels = Counter(region.label for region in found[image])
        agree += [_overlap(region) for region in found[image] if region.mask is not None and labels[region.label] == 1]
    assert len(agree) == 996
    assert np.median(agree) > 0.97  # of most labels the mask fills its box


def _overlap(region: Region) -> float:
    """Intersection over union of a region's box and the box around its mask."""
    assert region.mask is not None
    (height, width), (rows, columns) = region.mask.shape, np.where(region.mask)
    first = (columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height)
    left, top, box_width, box_height = region.box
    second = (left, top, left + box_width, top + box_height)
    sides = [max(0.0, min(first[2 + i], second[2 + i]) - max(first[i], second[i])) for i in (0, 1)]
    both = sides[0] * sides[1]
    return float(both / ((first[2] - first[0]) * (first[3] - first[1]) + box_width * box_height - both))
