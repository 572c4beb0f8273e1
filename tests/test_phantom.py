"""The phantom: equal seeds give equal bytes, the truth agrees with the pictures, and words alone do not answer."""

import itertools
import json
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from radvqa import text
from radvqa.data.dataset import Problems
from radvqa.data.sets import phantom
from radvqa.phantom import balance, study
from radvqa.phantom.canvas import ORGANS, Slice
from radvqa.phantom.generate import MASK_STEP, generate, mask_name
from radvqa.phantom.plan import plan
from radvqa.sample import Sample

FIRST = 900_000  # as the version mini
IMAGES = 60
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("phantom") / "made"
    generate(place, images=IMAGES, seed=0, first=FIRST)
    return place


@pytest.fixture(scope="module")
def scenes(folder: Path) -> Rows:
    found: Rows = json.loads((folder / "scene.json").read_text())["images"]
    return found


@pytest.fixture(scope="module")
def rows(folder: Path) -> Rows:
    found: Rows = json.loads((folder / "questions.json").read_text())
    return found


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return phantom.DATA_SET.load(Path(), "mini", Problems())


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def masks(folder: Path, scene: dict[str, Any]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    values = np.asarray(Image.open(folder / mask_name(scene["number"])))
    return values % MASK_STEP, values // MASK_STEP


def pairs(scenes: Rows) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    cases = defaultdict(list)
    for scene in scenes:
        cases[scene["case"]].append(scene)
    return [(case[0], case[1]) for case in cases.values() if len(case) == 2]


def test_equal_seeds_give_equal_bytes_with_one_and_with_two_processes(tmp_path: Path) -> None:
    generate(tmp_path / "alone", images=24, seed=3)
    generate(tmp_path / "together", images=24, seed=3, workers=2)
    assert bytes_of(tmp_path / "alone") == bytes_of(tmp_path / "together")
    generate(tmp_path / "other", images=24, seed=4)
    assert bytes_of(tmp_path / "alone") != bytes_of(tmp_path / "other")


def test_progress_counts_every_image(tmp_path: Path) -> None:
    steps: list[int] = []
    generate(tmp_path / "made", images=9, seed=0, progress=steps.append)
    assert sum(steps) == 9


def test_every_modality_is_seen_in_every_region_and_plane_in_all(scenes: Rows) -> None:
    assert {(scene["modality"], scene["region"]) for scene in scenes} == set(
        itertools.product(("CT", "MRI", "X-Ray"), ("Head", "Chest", "Abdomen"))
    )
    standard = plan(600, 0)
    assert {case.plane for case in standard} == {"Transverse plane", "Coronal plane", "Sagittal plane"}
    assert {case.contrast for case in standard} == {"CT", "T1", "T2", "FLAIR", "film"}
    assert {case.window for case in standard} == {"", "brain", "lung", "mediastinum", "abdomen"}


def test_images_are_grey_and_not_flat(folder: Path, scenes: Rows) -> None:
    for scene in scenes:
        image = Image.open(folder / scene["image"])
        assert (image.mode, image.size) == ("L", (256, 256))
        assert np.asarray(image).std() > 20, scene["image"]


def test_boxes_are_those_of_the_masks(folder: Path, scenes: Rows) -> None:
    for scene in scenes:
        organs, marks = masks(folder, scene)
        shown = [(organs == ORGANS.index(name), box) for name, box in scene["organs"]]
        shown += [(marks == place, one["box"]) for place, one in enumerate(scene["found"], start=1)]
        for mask, (left, top, width, height) in shown:
            y, x = np.nonzero(mask)
            assert (x.min(), y.min(), x.max() + 1, y.max() + 1) == (left, top, left + width, top + height)


def test_findings_are_counted_as_they_are_marked(folder: Path, scenes: Rows, rows: Rows) -> None:
    found = {scene["image"]: len(scene["found"]) for scene in scenes}
    for scene in scenes:
        marks = masks(folder, scene)[1]
        assert set(np.unique(marks).tolist()) == set(range(len(scene["found"]) + 1))
        assert all((marks == place + 1).sum() == one["area"] >= 20 for place, one in enumerate(scene["found"]))
    counted = [row for row in rows if "number of lesions" in row["question"] or "How many lesions" in row["question"]]
    assert counted
    assert all(row["answer"] == str(found[row["image"]]) for row in counted)


def test_sides_are_the_patients_and_agree_with_the_masks(scenes: Rows, rows: Rows) -> None:
    checked = 0
    for scene in scenes:
        for one in scene["found"]:
            side, middle = one["organ"].split(" ")[0], one["centre"][0]
            if side in ("Left", "Right") and scene["plane"] != "Sagittal plane" and abs(middle - 128) > 16:
                checked += 1
                assert (side == "Left") == (middle > 128), scene["image"]
    assert checked > 20
    by_image = {scene["image"]: scene for scene in scenes}
    for row in rows:
        if "left or right" in row["question"] or "left or the right" in row["question"]:
            assert {one["organ"].split(" ")[0] for one in by_image[row["image"]]["found"]} == {row["answer"]}


def test_a_finding_can_be_seen(folder: Path, scenes: Rows) -> None:
    """In twins that differ by presence, the finding's pixels differ by more than noise would let an eye miss."""
    differences = []
    for one, other in pairs(scenes):
        if one["twin"] == "presence" and one["found"] != other["found"]:
            marks = np.maximum(masks(folder, one)[1], masks(folder, other)[1]) > 0
            first, second = (np.asarray(Image.open(folder / scene["image"]), float) for scene in (one, other))
            differences.append(abs(first - second)[marks].mean())
    assert differences
    assert min(differences) > 8


def test_twins_differ_near_their_finding_only(folder: Path, scenes: Rows, rows: Rows) -> None:
    assert len(pairs(scenes)) >= IMAGES // 5
    changed_answers = {row["image"] for row in rows if row["twin"]}
    for one, other in pairs(scenes):
        assert one["split"] == other["split"]
        first, second = (np.asarray(Image.open(folder / scene["image"]), int) for scene in (one, other))
        near = np.zeros((256, 256), bool)
        for scene in (one, other):
            for finding in scene["found"]:
                left, top, width, height = finding["box"]
                margin = 10 + max(width, height) // 2  # swelling reaches beyond the finding itself
                near[max(0, top - margin) : top + height + margin, max(0, left - margin) : left + width + margin] = True
        assert (first == second)[~near].all(), one["image"]
        assert (masks(folder, one)[0] == masks(folder, other)[0]).all()
        if one["found"] != other["found"]:
            assert {one["image"], other["image"]} <= changed_answers


def test_twin_links_are_mutual_and_the_answers_differ(samples: list[Sample]) -> None:
    by_id = {sample.id: sample for sample in samples}
    linked = [sample for sample in samples if sample.twin]
    assert len(linked) > 50
    for sample in linked:
        twin = by_id[sample.twin]
        assert twin.twin == sample.id
        assert (twin.question, twin.case, twin.split) == (sample.question, sample.case, sample.split)
        assert twin.answer != sample.answer
        assert twin.image != sample.image


def test_the_data_set_is_what_its_facts_say(samples: list[Sample]) -> None:
    for name, split in phantom.DATA_SET.facts.versions["mini"].splits.items():
        inside = [sample for sample in samples if sample.split == name]
        assert (len(inside), len({sample.image for sample in inside})) == (split.rows, split.images)
    assert len({sample.id for sample in samples}) == len(samples)
    assert all(sample.image_path.is_file() for sample in samples)
    assert {sample.question_type for sample in samples} == {
        *("Modality", "Plane", "Position", "Organ", "Abnormality", "Quantity", "Size", "Color", "Shape", "KG")
    }


def test_splits_share_no_patient(samples: list[Sample]) -> None:
    splits = defaultdict(set)
    for sample in samples:
        splits[sample.case].add(sample.split)
    assert all(len(where) == 1 for where in splits.values())


def test_regions_come_from_the_masks(samples: list[Sample], scenes: Rows) -> None:
    image = samples[0].image
    scene = next(scene for scene in scenes if scene["image"] == image)
    regions = phantom.DATA_SET.regions(Path(), image)
    side = len(regions[0].mask) if regions[0].mask is not None else 0
    pixels = [[region.label, [side * part for part in region.box]] for region in regions if region.kind == "organ"]
    assert pixels == scene["organs"]
    for region in regions:
        assert region.mask is not None
        rows, columns = np.nonzero(region.mask)
        left, top, width, height = (round(side * part) for part in region.box)
        assert (columns.min(), rows.min()) == (left, top)
        assert (columns.max() - left + 1, rows.max() - top + 1) == (width, height)
    assert sum(region.kind == "finding" for region in regions) == len(scene["found"])


def lookup_accuracy(samples: list[Sample]) -> dict[str, float]:
    """Answer test questions with the most frequent training answer of the same words, by type of answer."""
    by_question: dict[str, Counter[str]] = defaultdict(Counter)
    by_type: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in samples:
        if sample.split == "train":
            by_question[text.seed000(sample.question)][sample.answer] += 1
            by_type[sample.answer_type][sample.answer] += 1
    hits = defaultdict(list)
    for sample in samples:
        if sample.split == "test":
            known = by_question.get(text.seed000(sample.question)) or by_type[sample.answer_type]
            hit = known.most_common(1)[0][0] == sample.answer
            for group in ("all", "yes/no" if sample.answer in ("Yes", "No") else "other"):
                hits[group].append(hit)
    return {group: sum(some) / len(some) for group, some in hits.items()}


def test_words_alone_answer_little(samples: list[Sample]) -> None:
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in samples:
        answers[sample.answer_type][sample.answer] += 1
    assert lookup_accuracy(samples)["all"] < 0.55  # 81 questions: chance alone moves this by several points
    for counted in answers.values():
        assert counted.most_common(1)[0][1] < 0.56 * counted.total()


@pytest.mark.slow
def test_words_alone_answer_little_in_the_standard_version() -> None:
    samples = phantom.DATA_SET.load(Path(), "standard", Problems())
    for name, split in phantom.DATA_SET.facts.versions["standard"].splits.items():
        inside = [sample for sample in samples if sample.split == name]
        assert (len(inside), len({sample.image for sample in inside})) == (split.rows, split.images)
    accuracy = lookup_accuracy(samples)
    assert accuracy["all"] < 0.45
    assert accuracy["yes/no"] < 0.58


def test_each_wording_has_even_answers(rows: Rows) -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row["answer"] in ("Yes", "No"):
            counts[row["question"]][row["answer"]] += 1
    assert all(
        abs(counted["Yes"] - counted["No"]) <= 6 for counted in counts.values()
    )  # three splits, each nearly even


def test_a_generation_that_fails_leaves_nothing_to_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(balance, "choose", fail)
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "made", images=6, seed=0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("contrast", "fluid_is_bright", "white_is_brighter_than_grey"),
    [("T1", False, True), ("T2", True, False), ("FLAIR", False, False)],
)
def test_tissues_have_the_order_of_their_contrast(
    contrast: str, fluid_is_bright: bool, white_is_brighter_than_grey: bool
) -> None:
    case = next(case for case in plan(600, 0) if (case.modality, case.region, case.level) == ("MRI", "Head", "nuclei"))
    alone = replace(case, contrast=contrast, twin="", wishes=(), images=(0,))
    picture = study.make(alone, 0)[0]
    body = study.draw_body(alone, np.random.default_rng([0, 3, alone.index]))
    assert isinstance(body, Slice)
    brain = (picture.organs == ORGANS.index("Left brain")) | (picture.organs == ORGANS.index("Right brain"))
    fluid = picture.pixels[picture.organs == ORGANS.index("Ventricle")].mean()
    white = picture.pixels[brain & (abs(body.signal - body.value("white")) < 0.02)].mean()
    grey = picture.pixels[brain & (abs(body.signal - body.value("grey")) < 0.02)].mean()
    assert (fluid > white) == fluid_is_bright
    assert (white > grey) == white_is_brighter_than_grey
    if contrast == "T1":  # fat under the skin is the brightest tissue
        assert np.percentile(picture.pixels[picture.organs == 0], 99) > white
