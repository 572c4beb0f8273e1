"""Points from run folders: which number of a run is taken, and what is said when it is not there."""

import json
from pathlib import Path

import pytest
from run_folders import run_folder

from radvqa.errors import RunError
from radvqa.scaling.runs import answer_lists, points_of_history, points_of_runs


@pytest.mark.parametrize(
    ("x", "size"), [("trainable_parameters", 5000), ("total_parameters", 50_000), ("model.lora.r", 8)]
)
def test_size_is_what_is_asked_for(tmp_path: Path, x: str, size: float) -> None:
    runs = [run_folder(tmp_path / "a", [3.0, 2.0])]
    assert points_of_runs(runs, x=x, d="distinct", loss="val_loss", at="best").variables[0, 0] == size


@pytest.mark.parametrize(
    ("d", "at", "columns", "data"),
    [
        ("distinct", "best", {}, 1000),
        ("seen", "best", {}, 2000),  # epoch 2 of 3, each one pass
        ("seen", "last", {}, 3000),
        ("seen", "best", {"samples": [700, 1400, 2100]}, 1400),  # counted by the run itself
    ],
)
def test_data_are_distinct_or_seen(tmp_path: Path, d: str, at: str, columns: dict[str, list[int]], data: float) -> None:
    runs = [run_folder(tmp_path / "a", [3.0, 2.0, 2.5], columns=columns)]
    found = points_of_runs(runs, x="total_parameters", d=d, loss="val_loss", at=at)
    assert found.variables[0, 1] == data


@pytest.mark.parametrize(("at", "loss"), [("best", 2.5), ("lowest", 2.0), ("last", 2.2)])
def test_the_evaluation_is_the_one_asked_for(tmp_path: Path, at: str, loss: float) -> None:
    runs = [run_folder(tmp_path / "a", [3.0, 2.5, 2.0, 2.2], best=1)]
    assert points_of_runs(runs, x="total_parameters", d="distinct", loss="val_loss", at=at).loss[0] == loss


def test_another_loss_is_taken_by_name(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a", [3.0, 2.0])
    assert points_of_runs([folder], x="total_parameters", d="distinct", loss="train_loss", at="best").loss[0] == 1.0
    with pytest.raises(RunError, match="no 'val_los'; did you mean 'val_loss'"):
        points_of_runs([folder], x="total_parameters", d="distinct", loss="val_los", at="best")


def test_samples_that_stages_share_count_once(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a", [3.0, 2.0])
    data = {
        "align: slake train": {"questions": 400, "digest": "s"},
        "align: select": {"questions": 50, "digest": "v"},
        "tune: slake train": {"questions": 400, "digest": "s"},
        "tune: roco train": {"questions": 1100, "digest": "r"},
        "tune: select": {"questions": 50, "digest": "v"},
    }
    (folder / "provenance.json").write_text(json.dumps({"data": data}), encoding="utf-8")
    found = points_of_runs([folder], x="total_parameters", d="distinct", loss="val_loss", at="best")
    assert found.variables[0, 1] == 1500


def test_a_run_without_the_number_is_named(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a", [3.0, 2.0], finished=False)
    with pytest.raises(RunError, match="a was not trained to its end"):
        points_of_runs([folder], x="total_parameters", d="distinct", loss="val_loss", at="best")
    folder = run_folder(tmp_path / "b", [3.0, 2.0], trainable=0)
    with pytest.raises(RunError, match=r"trainable_parameters of .*b is 0; a law needs a number above 0"):
        points_of_runs([folder], x="trainable_parameters", d="distinct", loss="val_loss", at="best")
    with pytest.raises(RunError, match=r"no number of the recipe of .*b; did you mean 'model.lora.r'"):
        points_of_runs([folder], x="lora.r", d="distinct", loss="val_loss", at="best")
    folder = run_folder(tmp_path / "c", [3.0, 2.0], best=7)
    with pytest.raises(RunError, match="does not say which evaluation was the best; use --at lowest"):
        points_of_runs([folder], x="total_parameters", d="distinct", loss="val_loss", at="best")


def test_a_history_is_in_steps_when_they_are_known_and_else_in_epochs(tmp_path: Path) -> None:
    plain = run_folder(tmp_path / "a", [3.0, 2.5, 2.2], finished=False)
    found, time = points_of_history(plain, t=None, loss="val_loss")
    assert (time, found.variables[:, 0].tolist(), found.loss.tolist()) == ("epoch", [1, 2, 3], [3.0, 2.5, 2.2])
    counted = run_folder(tmp_path / "b", [3.0, 2.5, 2.2], columns={"step": [10, 20, 30], "tokens": [None, None, None]})
    found, time = points_of_history(counted, t=None, loss="val_loss")
    assert (time, found.variables[:, 0].tolist(), found.labels[0]) == ("step", [10, 20, 30], "step 10")
    with pytest.raises(RunError, match="does not have 'tokens' in every row"):
        points_of_history(counted, t="tokens", loss="val_loss")


def test_an_empty_history_is_said(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a", [3.0])
    (folder / "history.jsonl").unlink()
    with pytest.raises(RunError, match="a has no history with losses"):
        points_of_history(folder, t=None, loss="val_loss")


def test_lists_of_answers_that_grow_with_the_data_are_said(tmp_path: Path) -> None:
    runs = [run_folder(tmp_path / str(n), [3.0, 2.0], answers=n) for n in (23, 32, 48)]
    said = answer_lists(runs)
    assert said is not None
    assert said.startswith("The models choose among 23 to 48 answers")
    assert answer_lists([runs[0], runs[0]]) is None
    assert answer_lists([run_folder(tmp_path / "writes", [3.0, 2.0])]) is None
