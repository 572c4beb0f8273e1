"""MedPix 2.0: a made-up miniature in the published layout, and the published files themselves."""

import json
from pathlib import Path

import generated_sets
import pytest

from miniature import change
from radvqa import fingerprint
from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.errors import DataError


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    return generated_sets.medpix2(tmp_path / "medpix2")


def test_a_caption_becomes_a_sample_with_the_text_of_its_case(mini: Path) -> None:
    sample = next(s for s in registry.load("medpix2") if s.image == "MPX1_a.png")
    assert sample.id == "medpix2/captions/train/MPX1_a"
    assert (sample.dataset, sample.split, sample.case) == ("medpix2:captions", "train", "MPX1")
    assert (sample.task, sample.question, sample.answer) == ("caption", "", "Caption of MPX1_a.")
    assert (sample.answer_type, sample.organ, sample.modality) == ("OPEN", "Thorax", "CT")
    assert sample.image_path == mini / "images" / "MPX1_a.jpg"  # by its stem: PNG was published
    assert sample.source == f"{mini / 'Descriptions.json'}, row 5"
    assert sample.context.split("\n") == [
        *("Modality: CT - noncontrast", "Plane: Axial", "Location: Chest, Pulmonary", "Title: Title MPX1"),
        *("History: A cough.", "Findings: A mass", "in the lung.", "Diagnosis: Cancer"),
        "Disease discussion: It is rare.",
    ]


def test_what_a_case_does_not_give_is_left_out_of_the_context(mini: Path) -> None:
    sample = next(s for s in registry.load("medpix2") if s.case == "MPX2")
    assert sample.modality == "MRI"
    assert [line.partition(":")[0] for line in sample.context.split("\n")] == [
        *("Modality", "Location", "Title", "History", "Diagnosis", "Disease discussion"),
    ]


def test_cases_go_to_their_splits_whole(mini: Path) -> None:
    samples = registry.load("medpix2")
    assert [(s.split, s.image) for s in samples] == [
        *(("train", "MPX2_a.png"), ("train", "MPX1_b.png"), ("train", "MPX1_a.png")),  # in the order of the file
        *(("dev", "MPX3_a.png"), ("test", "MPX4_a.png")),
    ]
    halves = registry.load("medpix2:halves")
    assert [(s.split, s.case) for s in halves] == [
        *(("train_1", "MPX1"), ("train_1", "MPX1"), ("train_2", "MPX2"), ("dev", "MPX3"), ("test", "MPX4")),
    ]


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        ("Descriptions.json", lambda rows: rows[0].pop("Location Category"), "row 1: the key 'Location Category' is"),
        ("Descriptions.json", lambda rows: rows[0].update(Type="XR"), "row 1: 'Type' must be CT or MR, found 'XR'"),
        ("Descriptions.json", lambda rows: rows[1].update(Description="a"), "row 2: 'Description' must be a JSON obj"),
        (
            "Descriptions.json",
            lambda rows: rows[1].update(U_id="MPX9"),
            r"row 2: the case 'MPX9' is not in .*Case_topic",
        ),
        ("Case_topic.json", lambda rows: rows[3].update(Topic=None), "row 4: 'Topic' must be a JSON object"),
        ("splitted_dataset/uid_list.json", lambda ids: ids["test"].clear(), r"'MPX4' is not in .*uid_list"),
    ],
)
def test_a_bad_row_is_named(mini: Path, file: str, edit: object, message: str) -> None:
    change(mini / file, edit)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=message):
        registry.load("medpix2")


def test_bad_rows_can_be_left_out(mini: Path) -> None:
    change(mini / "Descriptions.json", lambda rows: rows[4].update(Type="XR"))
    problems = Problems(skip=True)
    assert len(registry.load("medpix2", problems)) == 4
    assert len(problems.found) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({**generated_sets.SPLITS, "dev": ["MPX1"]}, "the case MPX1 is in 'train' and in 'dev'"),
        ({"train": []}, "'dev' must be a list of cases"),
        ([], "'train' must be a list of cases"),
    ],
)
def test_a_case_in_two_splits_is_refused(mini: Path, content: object, message: str) -> None:
    (mini / "splitted_dataset" / "uid_list.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        registry.load("medpix2")


@pytest.mark.real_data
@pytest.mark.parametrize("version", ["captions", "halves"])
def test_the_published_rows(version: str) -> None:
    selection = registry.select(f"medpix2:{version}")
    samples = registry.load(selection.name)
    cases = []
    for split, facts in selection.version.splits.items():
        part = [s for s in samples if s.split == split]
        assert (len(part), len({s.image for s in part})) == (facts.rows, facts.images)
        assert fingerprint.of_samples(part) == facts.digest
        cases.append({s.case for s in part})
    assert len(set.union(*cases)) == sum(map(len, cases)) == 671, "no case is in two splits"
    assert all(s.image_path.is_file() for s in samples)


@pytest.mark.real_data
def test_the_splits_are_those_of_the_published_tables() -> None:
    selection = registry.select("medpix2")
    samples = registry.load("medpix2")
    for split in selection.version.splits:
        table = selection.folder / "splitted_dataset" / f"descriptions_{split}.jsonl"
        rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
        published = {row["image"]: row["Description"]["Caption"].strip() for row in rows}
        assert {s.image.removesuffix(".png"): s.answer for s in samples if s.split == split} == published


@pytest.mark.real_data
def test_the_traps_are_as_the_facts_say() -> None:
    def words(text: str) -> str:
        return " ".join("".join(c if c.isalnum() or c == "_" else " " for c in text.lower()).split())

    samples = registry.load("medpix2")
    told = [s for s in samples if words(s.answer) in words(s.context.partition("\nTitle: ")[2])]
    assert (len(told), sum(s.split == "test" for s in told)) == (466, 50)
    unfilled = [s.split for s in samples if s.answer.startswith("Replace this")]
    assert (unfilled.count("train"), unfilled.count("dev"), unfilled.count("test")) == (15, 6, 0)
