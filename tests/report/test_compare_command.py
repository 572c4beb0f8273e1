"""``radvqa compare`` as a function."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radvqa import files
from radvqa.commands.compare import compare, show
from radvqa.errors import RunError
from radvqa.run import Run
from report_runs import make_run


def rights(folder: Path) -> dict[str, bool]:
    rows = files.read_jsonl(folder / "predictions.jsonl")
    return {row["id"]: row["prediction"].lower() == row["answer"].lower() for row in rows}


def test_the_result_is_json_with_the_scores_of_each_run(tmp_path: Path) -> None:
    for seed in (0, 1):
        make_run(tmp_path / f"s{seed}", seed=seed)
    result = compare([tmp_path / "s0", tmp_path / "s1"])
    assert json.loads(json.dumps(result)) == result
    (section,) = result["datasets"]
    assert (section["dataset"], section["split"], section["questions"]) == ("slake:en", "test", 80)
    for run, seed in zip(section["runs"], (0, 1), strict=True):
        scores = files.read_json(tmp_path / f"s{seed}" / "scores.json")
        assert run["name"] == f"s{seed}"
        assert run["subsets"] == scores["subsets"]
    values = [run["subsets"]["open"]["accuracy"] for run in section["runs"]]
    (group,) = section["groups"]
    assert group["seeds"] == [0, 1]
    assert group["subsets"]["open"]["accuracy"]["mean"] == pytest.approx(np.mean(values))
    assert group["subsets"]["open"]["accuracy"]["sd"] == pytest.approx(np.std(values, ddof=1))
    assert set(section["baselines"]) >= {"always_yes", "question_lookup"}
    assert str(tmp_path) not in json.dumps(result)


def test_runs_are_compared_question_by_question_with_the_first(tmp_path: Path) -> None:
    make_run(tmp_path / "good", skill=0.95)
    make_run(tmp_path / "bad", name="blip", skill=0.3)
    make_run(tmp_path / "same", name="copy", skill=0.95)
    (section,) = compare([tmp_path / "good", tmp_path / "bad", tmp_path / "same"])["datasets"]
    bad, same = section["paired"]
    good_rights, bad_rights = rights(tmp_path / "good"), rights(tmp_path / "bad")
    by_hand = sum(bad_rights[i] - good_rights[i] for i in good_rights) / len(good_rights)
    assert (bad["name"], bad["against"]) == ("bad", "good")
    assert bad["difference"] == pytest.approx(by_hand)
    low, high = bad["interval"]
    assert low < by_hand < high < 0
    assert (bad["questions"], bad["clusters"]) == (80, 16)
    assert same["difference"] == 0
    assert same["interval"] == [0, 0]


def test_pairing_is_by_id_and_not_by_line(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", name="copy")
    rows = list(files.read_jsonl(tmp_path / "b" / "predictions.jsonl"))
    files.write_jsonl(tmp_path / "b" / "predictions.jsonl", reversed(rows))
    for names in (("a", "b"), ("b", "a")):
        (pair,) = compare([tmp_path / name for name in names])["datasets"][0]["paired"]
        assert (pair["difference"], pair["interval"]) == (0, [0, 0])


def test_other_questions_are_not_paired(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", name="other")
    rows = list(files.read_jsonl(tmp_path / "b" / "predictions.jsonl"))
    rows[0]["question"] = "Something else?"
    files.write_jsonl(tmp_path / "b" / "predictions.jsonl", rows)
    (section,) = compare([tmp_path / "a", tmp_path / "b"])["datasets"]
    assert section["paired"] == []
    assert "b and a did not answer the same questions, so no paired difference." in section["notes"]


def test_data_sets_are_kept_apart(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", dataset="vqa_rad")
    result = compare([tmp_path / "a", tmp_path / "b"])
    assert [section["dataset"] for section in result["datasets"]] == ["slake:en", "vqa_rad"]
    assert all(len(section["runs"]) == 1 for section in result["datasets"])


def other_split(run: Run) -> None:
    scores = run.scores(run.answers())
    run.write_scores(run.answers("slake:en", "validate"), {**scores, "split": "validate", "questions": 80})


def test_another_split_is_read_when_asked_for(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a")
    other_split(run)
    answers = run.answers("slake:en", "validate")
    run.predictions(run.answers())
    (tmp_path / "a" / answers.file("predictions", "jsonl")).write_bytes(
        (tmp_path / "a" / "predictions.jsonl").read_bytes()
    )
    assert compare([tmp_path / "a"], split="validate")["datasets"][0]["split"] == "validate"
    with pytest.raises(RunError, match="not scored on slake:en train"):
        compare([tmp_path / "a"], split="train")


def test_pages_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", name="blip")
    pages: dict[str, Any] = {"html": tmp_path / "out" / "report.html", "markdown": tmp_path / "out" / "results.md"}
    compare([tmp_path / "a", tmp_path / "b"], **pages)
    assert "Paired difference in accuracy" in pages["html"].read_text(encoding="utf-8")
    assert "### Paired difference in accuracy" in pages["markdown"].read_text(encoding="utf-8")
    (tmp_path / "b" / "scores.json").unlink()
    before = {name: path.read_bytes() for name, path in pages.items()}
    with pytest.raises(RunError, match="radvqa score"):
        compare([tmp_path / "a", tmp_path / "b"], **pages)
    assert before == {name: path.read_bytes() for name, path in pages.items()}


def test_the_terminal_shows_a_table_for_each_data_set_on_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", dataset="vqa_rad")
    show([tmp_path / "a", tmp_path / "b"])
    captured = capsys.readouterr()
    assert "Scores on slake:en, test split, in percent" in captured.out
    assert "Scores on vqa_rad, test split, in percent" in captured.out
    assert "Published, not comparable" in captured.out
    assert captured.err == ""
