"""The run folder: begun, finished, refused, and never trusted when half done."""

from pathlib import Path
from typing import Any

import pytest

from miniature import python, starting
from radvqa.asking import last_run
from radvqa.commands.predict import predict
from radvqa.commands.score import score
from radvqa.errors import DataError, RadvqaError, RunError
from radvqa.prediction import Prediction
from radvqa.run import Answers, Run

RECIPE: dict[str, Any] = {"name": "tiny", "data": {"name": "slake:en", "train": "train", "test": "test"}}


def begun(folder: Path) -> Run:
    return Run.create(folder, RECIPE, {"seed": 1, "data": {"train": "same"}})


def taken_up(folder: Path, recipe: dict[str, Any] = RECIPE, data: dict[str, Any] | None = None) -> Run:
    return Run.take_up(folder, recipe, {"seed": 1, "data": data or {"train": "same"}})


def test_a_run_is_begun_and_finished(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    assert (run.finished, run.name) == (False, "run")
    assert (run.recipe, run.provenance, run.history) == (RECIPE, {"seed": 1, "data": {"train": "same"}}, [])
    run.write_history([{"epoch": 1}])
    run.finish({"epochs": 1})
    again = Run(tmp_path / "run")
    assert (again.finished, again.facts["epochs"], again.history) == (True, 1, [{"epoch": 1}])
    assert again.facts["started"] <= again.facts["ended"]
    again.require_finished()


def test_a_finished_run_is_not_begun_anew(tmp_path: Path) -> None:
    begun(tmp_path).finish({})
    with pytest.raises(RunError, match="holds a run; choose another --out, or start it over with --force-new"):
        begun(tmp_path)
    assert taken_up(tmp_path).finished


def test_an_unfinished_run_that_learned_something_is_taken_up(tmp_path: Path) -> None:
    run = begun(tmp_path)
    run.write_history([{"epoch": 1}])
    run.checkpoints.mkdir()
    (run.checkpoints / ".best.safetensors.x.part").touch()  # torn by the kill
    (run.checkpoints / ".adapter.y.part" / "adapter").mkdir(parents=True)
    again = taken_up(tmp_path)
    assert (again.history, again.finished) == ([{"epoch": 1}], False)
    assert not list(run.checkpoints.iterdir())
    with pytest.raises(RunError, match=r"begun with another recipe: data\.test \(was 'test', is 'other'\)"):
        taken_up(tmp_path, {**RECIPE, "data": {**RECIPE["data"], "test": "other"}})
    with pytest.raises(RunError, match="begun with other data: train changed since"):
        taken_up(tmp_path, data={"train": "other"})


def test_a_run_that_learned_nothing_is_made_anew(tmp_path: Path) -> None:
    """Killed before the first step, or refused by the doctor: a mended recipe needs no --force-new."""
    run = begun(tmp_path)
    (tmp_path / "doctor.json").write_text("{}", encoding="utf-8")
    mended = {**RECIPE, "name": "mended"}
    assert taken_up(tmp_path, mended).recipe == mended
    assert not (tmp_path / "doctor.json").exists()
    assert run.provenance == {"seed": 1, "data": {"train": "same"}}


def test_a_foreign_folder_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "provenance.json").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match="is not a run folder"):
        taken_up(tmp_path)
    assert (tmp_path / "provenance.json").read_text(encoding="utf-8") == "mine"


def test_a_run_is_set_aside_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Run.set_aside(tmp_path / "none") is None
    run = begun(tmp_path / "run")
    run.checkpoints.mkdir()
    moved = []
    rename = Path.rename

    def noted(path: Path, target: Path) -> Path:
        moved.append(path.name)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", noted)
    with Run.held(run.folder):
        assert Run.set_aside(run.folder) == tmp_path / "run-before-1"
    assert [path.name for path in run.folder.iterdir()] == [".lock"]
    assert moved[0] == "run.json"  # half moved, the folder is no run that could be taken up
    assert Run(tmp_path / "run-before-1").recipe == RECIPE
    begun(tmp_path / "run")
    assert Run.set_aside(run.folder) == tmp_path / "run-before-2"


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(RunError, match="is not a run folder; choose another --out"):
        begun(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(RunError, match=r"it has no run\.json"):
        Run(tmp_path)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_run_that_was_killed_while_it_was_made_can_be_made_again(tmp_path: Path, number: int, moment: str) -> None:
    code = f"""
import os, signal, sys
from pathlib import Path
from radvqa.run import Run
renamed, replace = 0, Path.replace
def deadly(self, target):
    global renamed
    renamed += 1
    if renamed == {number} and {moment == "before"}:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(self, target)
    if renamed == {number}:
        os.kill(os.getpid(), signal.SIGKILL)
Path.replace = deadly
with Run.held(Path(sys.argv[1])):
    Run.create(Path(sys.argv[1]), {{"name": "killed"}}, {{"seed": 1}})
"""
    killed = python(code, tmp_path / "run")
    assert killed.returncode == -9, killed.stderr
    with pytest.raises(RunError):
        predict(tmp_path / "run")
    run = taken_up(tmp_path / "run")
    assert (run.recipe, run.provenance, run.finished) == (RECIPE, {"seed": 1, "data": {"train": "same"}}, False)
    assert not list((tmp_path / "run").glob("*.part"))


def test_an_unfinished_run_answers_and_scores_nothing(tmp_path: Path) -> None:
    begun(tmp_path)
    for refuse in (predict, score):
        with pytest.raises(RunError, match="was not trained to its end"):
            refuse(tmp_path)


def test_a_run_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    begun(tmp_path)
    (tmp_path / "run.json").write_text('{"format": 99}', encoding="utf-8")
    with pytest.raises(RunError, match="has format 99; this version reads format 1"):
        Run(tmp_path)


@pytest.mark.parametrize("content", ["", '{"format": 1, "sta', "[]"])
def test_a_damaged_state_is_not_trusted(tmp_path: Path, content: str) -> None:
    begun(tmp_path).finish({})
    (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(RadvqaError, match=r"run\.json"):
        Run(tmp_path)


HOLD = """
import sys, time
from pathlib import Path
from radvqa.run import Run
with Run.held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_run_held_by_another_process_is_refused(tmp_path: Path) -> None:
    begun(tmp_path).finish({})
    holder = starting(["-c", HOLD, tmp_path])
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RadvqaError, match=r"The run folder .* is in use by another process"):
        predict(tmp_path)
    holder.kill()
    holder.communicate()
    with Run.held(tmp_path):
        pass


def test_answers_to_other_splits_have_files_of_their_own(tmp_path: Path) -> None:
    run = begun(tmp_path)
    assert run.answers() == run.answers("slake:en", "test") == Answers("slake:en", "test")
    assert run.answers(split="validate").file("scores", "json") == "scores-slake_en-validate.json"
    assert run.answers("vqa_rad:official").file("predictions", "jsonl") == "predictions-vqa_rad_official-test.jsonl"


def test_new_answers_drop_the_score_of_the_old_ones(tmp_path: Path) -> None:
    run = begun(tmp_path)
    answers = run.answers()
    prediction = Prediction("1", "?", "yes", "no", "CLOSED", candidates=(("no", 0.9), ("yes", 0.1)))
    baseline = Prediction("1", "?", "yes", "yes", "CLOSED")
    run.write_answers(answers, [prediction], {"always_yes": [baseline]})
    run.write_scores(answers, {"of": "old"})
    assert run.scores(answers) == {"of": "old"}
    run.write_answers(answers, [prediction], {"always_yes": [baseline]})
    with pytest.raises(RunError, match="is not scored"):
        run.scores(answers)
    assert run.predictions(answers) == [prediction]
    assert run.baselines(answers) == {"always_yes": {"1": "yes"}}
    with pytest.raises(RunError, match="has no predictions on slake:en validate"):
        run.predictions(run.answers(split="validate"))


def test_the_last_run_is_the_finished_one_that_ended_last(tmp_path: Path) -> None:
    with pytest.raises(RadvqaError, match="There is no finished run"):
        last_run(tmp_path)
    for name, ended in (("a", "2020-01-02T00:00:00Z"), ("b", "2020-01-03T00:00:00Z"), ("c", "2020-01-01T00:00:00Z")):
        begun(tmp_path / name).finish({"ended": ended})
    begun(tmp_path / "d")
    assert last_run(tmp_path).name == "b"


@pytest.mark.parametrize("candidates", ["3", '["yes"]', '[["yes", "often"]]', '[["yes", 0.5, 1]]'])
def test_odd_candidates_in_a_predictions_file_are_named(tmp_path: Path, candidates: str) -> None:
    path = tmp_path / "predictions.jsonl"
    row = '{"id": "1", "question": "?", "answer": "a", "prediction": "a", "answer_type": "OPEN", "candidates": %s}'
    path.write_text(row % candidates, encoding="utf-8")
    with pytest.raises(DataError, match=r"predictions.jsonl, line 1: candidates must be"):
        score(path)
