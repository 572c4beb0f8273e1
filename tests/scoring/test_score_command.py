"""``radvqa score`` on run folders and on plain files."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import chat_server
from radvqa import files
from radvqa.commands.score import Judge, score
from radvqa.data import registry
from radvqa.errors import DataError, RunError
from radvqa.prediction import Prediction, write_predictions
from radvqa.run import Run

RECIPE = {"data": {"name": "slake:en", "test": "test"}}
PREDICTIONS = [
    Prediction("1", "Healthy?", "Yes", "yes", "CLOSED", image="a"),
    Prediction("2", "What organ?", "Lung", "Liver", "OPEN", image="b"),
]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run.create(tmp_path / "run", RECIPE, {})
    made.finish({})
    return made


def line(**changes: Any) -> str:
    row = {"id": "1", "question": "?", "answer": "yes", "prediction": "yes", "answer_type": "CLOSED", **changes}
    return json.dumps({key: value for key, value in row.items() if value is not None}) + "\n"


def test_a_run_is_scored_and_keeps_its_scores(run: Run) -> None:
    answers = run.answers()
    run.write_answers(answers, PREDICTIONS, {"always_yes": [PREDICTIONS[0], PREDICTIONS[1]]})
    scores = score(run.folder)
    assert run.scores(answers) == scores
    assert scores["dataset"] == "slake:en"
    assert scores["subsets"]["overall"]["accuracy"] == 0.5
    assert scores["baselines"]["always_yes"]["overall"]["accuracy"] == 0.5
    assert scores["published"]


def test_predictions_on_another_split_are_scored_beside(run: Run) -> None:
    other = run.answers("made:up", "hard")
    run.write_answers(other, PREDICTIONS, {})
    scores = score(run.folder, data="made:up", split="hard")
    assert run.scores(other) == scores
    assert set(scores["baselines"]) == {"echo_question"}
    assert not (run.folder / "scores.json").exists()


def test_a_run_that_is_not_finished_or_not_predicted_is_refused(tmp_path: Path, run: Run) -> None:
    with pytest.raises(RunError, match="radvqa predict"):
        score(run.folder)
    unfinished = Run.create(tmp_path / "unfinished", RECIPE, {})
    with pytest.raises(RunError, match="not trained to its end"):
        score(unfinished.folder)


def test_a_file_is_scored_and_nothing_is_written(tmp_path: Path) -> None:
    write_predictions(tmp_path / "mine.jsonl", PREDICTIONS)
    scores = score(tmp_path / "mine.jsonl")
    assert scores["subsets"]["overall"]["accuracy"] == 0.5
    assert scores["published"] == []
    assert score(tmp_path / "mine.jsonl", data="slake:en", split="test")["published"]
    assert [path.name for path in tmp_path.iterdir()] == ["mine.jsonl"]


def test_a_minimal_file_is_enough(tmp_path: Path) -> None:
    files.write_text(tmp_path / "mine.jsonl", line() + line(id="2", prediction="no"))
    assert score(tmp_path / "mine.jsonl")["subsets"]["closed"]["accuracy"] == 0.5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no predictions"),
        (line() + line(), "line 2: the id '1' was already used"),
        (line(answer=None), "has no column with the gold answers"),
        (line(answer_type="maybe"), "answer_type must be one of OPEN, CLOSED"),
        ("{", "line 1 is not valid JSON"),
        ("[1]\n", "expected a JSON object"),
    ],
)
def test_bad_files_are_refused_by_name_and_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    files.write_text(path, content)
    with pytest.raises(DataError, match=message) as caught:
        score(path)
    assert str(path) in str(caught.value)


def test_anything_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        score(tmp_path / "gone")
    with pytest.raises(RunError, match="is not a run folder"):
        score(tmp_path)


def test_gold_answers_come_from_another_file_or_a_data_set(tmp_path: Path) -> None:
    write_predictions(tmp_path / "gold.jsonl", PREDICTIONS)
    files.write_text(tmp_path / "mine.jsonl", json.dumps({"id": "1", "prediction": "yes"}) + "\n")
    scores = score(tmp_path / "mine.jsonl", gold=str(tmp_path / "gold.jsonl"))
    assert (scores["questions"], scores["missing"]) == (2, 1)
    assert scores["subsets"]["overall"]["accuracy"] == 0.5
    with pytest.raises(DataError, match="neither a file nor a data set"):
        score(tmp_path / "mine.jsonl", gold="nowhere")


def test_gold_answers_come_from_a_data_set(tmp_path: Path) -> None:
    asked = registry.load_split("phantom:mini", "test")
    rows = [{"id": sample.id, "prediction": sample.answer} for sample in asked[1:]]
    files.write_jsonl(tmp_path / "mine.jsonl", rows)
    scores = score(tmp_path / "mine.jsonl", gold="phantom:mini")
    assert (scores["questions"], scores["missing"]) == (len(asked), 1)
    assert scores["subsets"]["overall"]["accuracy"] == pytest.approx(1 - 1 / len(asked), abs=1e-6)


def test_repeated_answers_are_scored_for_consistency(tmp_path: Path) -> None:
    for name, second in (("a", "Liver"), ("b", "Lung"), ("c", "Heart")):
        write_predictions(tmp_path / f"{name}.jsonl", [PREDICTIONS[0], replace(PREDICTIONS[1], prediction=second)])
    repeats = [tmp_path / "b.jsonl", tmp_path / "c.jsonl"]
    found = score(tmp_path / "a.jsonl", repeats=repeats)["consistency"]
    assert (found["runs"], found["n"], found["all_same"]) == (3, 2, 0.5)


def test_scoring_a_run_again_keeps_what_a_judge_said(run: Run) -> None:
    answers = run.answers()
    run.write_answers(answers, PREDICTIONS, {})
    run.write_scores(answers, {**score(run.folder), "judge": {"model": "made up"}})
    assert score(run.folder)["judge"] == {"model": "made up"}
    run.write_answers(answers, PREDICTIONS, {})  # new predictions have not been judged
    assert score(run.folder)["judge"] is None


def test_a_judge_is_asked_once_and_its_verdicts_stay_with_the_run(run: Run) -> None:
    answers = run.answers()
    run.write_answers(answers, PREDICTIONS, {})
    with chat_server.serving(lambda body, number: '{"verdict": "correct", "reason": "made up"}') as server:
        judge = Judge(server.url, "made-up")
        first = score(run.folder, judge=judge)["judge"]
        asked = len(server.bodies)
        again = score(run.folder, judge=judge)["judge"]
        assert len(server.bodies) == asked == 2
    assert first["model"] == "made-up"
    assert first["subsets"]["overall"]["score"] == 1.0
    assert first["subsets"]["overall"]["agreement"]["judge_only"] == 1
    assert (first["requests"], again["requests"], again["cached"]) == (2, 0, 2)
    assert run.scores(answers)["judge"]["items"] == {"1": "correct", "2": "correct"}
