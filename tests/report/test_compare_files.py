"""Predictions files beside run folders, and alone."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from radvqa import files
from radvqa.commands.compare import compare
from radvqa.errors import RadvqaError, RunError
from radvqa.report.comparison import compare_runs
from radvqa.report.html import report
from report_runs import make_run


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return list(files.read_jsonl(folder / "predictions.jsonl"))


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_file_is_scored_as_a_run_with_the_same_answers(tmp_path: Path) -> None:
    make_run(tmp_path / "a", resamples=2000)
    files.write_jsonl(tmp_path / "theirs.jsonl", rows_of(tmp_path / "a"))
    (section,) = compare([tmp_path / "a", tmp_path / "theirs.jsonl"])["datasets"]
    assert [run["name"] for run in section["runs"]] == ["a", "theirs"]
    assert section["runs"][1]["subsets"] == section["runs"][0]["subsets"]
    assert section["dataset"] == "slake:en"
    (pair,) = section["paired"]
    assert (pair["difference"], pair["mcnemar_p"]) == (0, 1)
    assert section["notes"] == ["How theirs was trained is not known, so the budgets cannot be compared."]


def test_a_file_of_ids_and_answers_gets_questions_and_labels_from_the_run(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    path = write_csv(tmp_path / "theirs.csv", rows_of(tmp_path / "a"), ("id", "prediction"))
    (comparison,) = compare_runs([path, tmp_path / "a"])
    theirs, run = comparison.runs
    organs = [{name: part["accuracy"] for name, part in r.scores["slices"]["organ"].items()} for r in (theirs, run)]
    assert organs[0] == organs[1]
    assert theirs.scores["slices"].keys() == run.scores["slices"].keys() - {"question_seen", "answer_frequency"}
    assert theirs.scores["clusters"] == 16
    assert theirs.scores["unseen_answers"] is None  # what the run's training knew is not the file's
    assert theirs.right == run.right


def test_questions_that_a_file_leaves_out_are_wrong_and_said(tmp_path: Path) -> None:
    make_run(tmp_path / "a", skill=1.0)
    path = write_csv(tmp_path / "theirs.csv", rows_of(tmp_path / "a")[:-8], ("id", "prediction"))
    (comparison,) = compare_runs([tmp_path / "a", path])
    assert comparison.runs[1].value("overall", "accuracy") == 0.9  # 72 of 80
    assert comparison.runs[1].scores["missing"] == 8
    assert "theirs: 8 of 80 questions have no prediction; they count as wrong." in report([comparison])


def test_a_file_about_other_questions_is_a_comparison_of_its_own(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    rows = [{**row, "id": f"other-{row['id']}"} for row in rows_of(tmp_path / "a")]
    files.write_jsonl(tmp_path / "theirs.jsonl", rows)
    assert [c.test for c in compare_runs([tmp_path / "a", tmp_path / "theirs.jsonl"])] == [
        "slake:en, test split",
        "predictions file",
    ]


def test_equal_ids_with_other_questions_are_not_mixed(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    rows = [{**row, "question": f"Again: {row['question']}"} for row in rows_of(tmp_path / "a")]
    files.write_jsonl(tmp_path / "theirs.jsonl", rows)
    assert len(compare_runs([tmp_path / "a", tmp_path / "theirs.jsonl"])) == 2


def test_files_alone_are_compared_and_have_a_page(tmp_path: Path) -> None:
    make_run(tmp_path / "a", skill=0.9)
    make_run(tmp_path / "b", skill=0.4)
    paths = []
    for name in ("a", "b"):
        paths.append(tmp_path / f"{name}.jsonl")
        files.write_jsonl(paths[-1], rows_of(tmp_path / name))
    result = compare(paths, html=tmp_path / "report.html", markdown=tmp_path / "results.md")
    assert result["datasets"][0]["paired"][0]["difference"] < 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "how its answers were made is not known" in page
    assert "Training and cost" not in page
    assert "radvqa predict RUN puts them there" in page


def test_two_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    for name in ("one", "two"):
        files.write_jsonl(tmp_path / name / "answers.jsonl", rows_of(tmp_path / "a"))
    (comparison,) = compare_runs([tmp_path / "one" / "answers.jsonl", tmp_path / "two" / "answers.jsonl"])
    assert [run.name for run in comparison.runs] == ["one/answers.jsonl", "two/answers.jsonl"]


def test_a_file_given_twice_is_refused(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    with pytest.raises(RunError, match=r"predictions\.jsonl is given twice"):
        compare_runs([tmp_path / "a" / "predictions.jsonl", tmp_path / "a" / "predictions.jsonl"])


def test_an_empty_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(RadvqaError, match=r"empty\.jsonl"):
        compare_runs([tmp_path / "empty.jsonl"])
