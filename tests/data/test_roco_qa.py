"""ROCO-QA: made-up miniatures of the generated files and of the hub's Parquet files, and the published rows."""

from pathlib import Path

import generated_sets
import numpy as np
import pytest

from miniature import change
from radvqa import fingerprint
from radvqa.commands.data import check_data, require_ok
from radvqa.data import image, registry
from radvqa.data.dataset import Problems
from radvqa.errors import DataError


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    monkeypatch.setenv("RADVQA_CACHE", str(tmp_path / "cache"))
    return generated_sets.roco_qa(tmp_path / "roco_qa")


def test_a_question_has_its_caption_as_the_answer(mini: Path) -> None:
    samples = registry.load("roco_qa")
    assert samples[1].id == "roco_qa/questions/test/ROCO_00006"
    assert (samples[1].image, samples[1].split, samples[1].task) == ("ROCO_00006.jpg", "test", "vqa")
    assert (samples[1].question, samples[1].answer) == ("What is in ROCO_00006?", "Tumeur à gauche; vue coronale")
    assert {s.answer_type for s in samples} == {"OPEN"}
    assert samples[1].image_path == mini / "images" / "ROCO_00006.jpg"
    assert samples[1].source == f"{mini / 'test_qa_generated.json'}, row 2"


def test_the_captions_alone_are_a_version(mini: Path) -> None:
    captions, questions = registry.load("roco_qa:captions"), registry.load("roco_qa")
    assert {(s.task, s.question) for s in captions} == {("caption", "")}
    assert [(s.image, s.answer) for s in captions] == [(s.image, s.answer) for s in questions]
    assert captions[2].answer == "A cyst\u2028here."  # a separator inside a caption begins no row


def test_pictures_are_found_by_their_stem_where_someone_put_them(mini: Path) -> None:
    generated_sets.picture(mini / "images" / "ROCO_00001.png", 9)
    assert registry.load("roco_qa")[0].image_path == mini / "images" / "ROCO_00001.png"


def test_a_check_says_that_the_pictures_are_not_part_of_the_copy(mini: Path) -> None:
    report = check_data("roco_qa")
    assert report["pictures_apart"].startswith("The pictures are not part of this copy. ")
    assert (report["pictures_decoded"], report["left_out"], report["altered"]) == (0, [], [])
    with pytest.raises(DataError, match=r"roco_qa:questions is not as published: test: 3 rows"):
        require_ok(report)  # the miniature has three rows


@pytest.mark.parametrize(
    ("version", "file", "line", "message"),
    [
        ("captions", "test_captions.txt", "ROCO_00007 no tab", "row 4: the key 'answer' is missing"),
        ("captions", "test_captions.txt", "ROCO_00001\ttwice", "was already used at"),
    ],
)
def test_a_bad_line_is_named(mini: Path, version: str, file: str, line: str, message: str) -> None:
    with (mini / file).open("a", encoding="utf-8") as handle:
        handle.write(f"{line}\n\n")
    with pytest.raises(DataError, match=message):
        registry.load(f"roco_qa:{version}")


def test_a_bad_row_is_named_and_can_be_left_out(mini: Path) -> None:
    change(mini / "test_qa_generated.json", lambda rows: rows[1].pop("question"))
    with pytest.raises(DataError, match="row 2: the key 'question' is missing"):
        registry.load("roco_qa")
    problems = Problems(skip=True)
    assert len(registry.load("roco_qa", problems)) == 2
    assert len(problems.found) == 1


def test_the_parquet_files_of_the_hub_bring_their_pictures(mini: Path) -> None:
    data = generated_sets.roco_qa_of_the_hub(mini, splits={"Vaild": 2, "Test": 3})
    samples = registry.load("roco_qa:hf")
    assert [s.split for s in samples] == ["Vaild", "Vaild", "Test", "Test", "Test"]
    assert samples[0].id == "roco_qa/hf/Vaild/ROCO_00000"
    assert [s.question for s in samples[2:]] == ["Question 0?", "Question 1?", "Question 2?"]
    assert samples[4].source == f"{data / 'Test-00001-of-00002.parquet'}, row 2"
    assert samples[4].image == "ROCO_00002.png"
    assert np.array_equal(image.decode(samples[4].image_path), np.full((6, 8), 2))
    assert [s.split for s in registry.load_split("roco_qa:hf", "Vaild")] == ["Vaild", "Vaild"]


def test_the_training_rows_of_the_hub_are_a_version_without_a_published_number(mini: Path) -> None:
    generated_sets.roco_qa_of_the_hub(mini, splits={"Train": 4}, repository="ROCO-QA-Train")
    report = check_data("roco_qa:hf_train")
    assert report["ok"] is True
    assert report["splits"]["Train"]["rows"] == 4
    assert report["splits"]["Train"]["rows_published"] is None
    assert report["pictures_decoded"] == 4


def test_a_missing_or_broken_file_of_the_hub_is_named(mini: Path) -> None:
    with pytest.raises(DataError, match=r"There is no Vaild-\*\.parquet in .*; `radvqa data explain roco_qa` says"):
        registry.load("roco_qa:hf")
    data = generated_sets.roco_qa_of_the_hub(mini, splits={"Vaild": 2, "Test": 2})
    (data / "Test-00001-of-00002.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match=r"Test-00001-of-00002\.parquet is broken"):
        registry.load("roco_qa:hf")


@pytest.mark.real_data
@pytest.mark.parametrize("version", ["questions", "captions"])
def test_the_published_rows(version: str) -> None:
    selection = registry.select(f"roco_qa:{version}")
    samples = registry.load(selection.name)
    facts = selection.version.splits["test"]
    assert len(samples) == len({s.image for s in samples}) == facts.rows == facts.images == 8_179
    assert fingerprint.of_samples(samples) == facts.digest


@pytest.mark.real_data
def test_the_published_answers_are_the_captions() -> None:
    questions, captions = registry.load("roco_qa"), registry.load("roco_qa:captions")
    assert [(s.image, s.answer) for s in questions] == [(s.image, s.answer) for s in captions]
    assert sum("?" not in s.question for s in questions) == 4
    words = [len(s.answer.split()) for s in questions]
    assert round(sum(words) / len(words), 1) == 20.4


@pytest.mark.real_data
def test_the_published_copy_is_whole_without_pictures() -> None:
    report = check_data("roco_qa")
    require_ok(report)
    assert report["pictures_apart"]
