"""Trackers get every number while they work, and nothing that they do stops a training."""

import os
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import tracking as library
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from radvqa import files
from radvqa.errors import RecipeError
from radvqa.tracking import background, names
from radvqa.tracking.settings import settings
from radvqa.tracking.tracking import Tracking, flat

CONFIG = {"name": "tiny", "training": {"seed": 3, "trackers": ["tensorboard"], "patience": None}}


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(tag)]


def test_tensorboard_holds_every_number_and_the_recipe(tmp_path: Path) -> None:
    tracking = Tracking.open(tmp_path, ["tensorboard"], "a run", CONFIG)
    for step in (10, 20, 30):
        tracking.log(step, {"loss": 1 / step, "samples": step * 8, "stage": "one", "tokens": None})
    tracking.flush()
    assert [step for step, _ in scalars(tmp_path, "loss")] == [10, 20, 30]
    assert [value for _, value in scalars(tmp_path, "loss")] == pytest.approx([0.1, 0.05, 1 / 30])
    tracking.close()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert events.Tags()["scalars"] == ["loss", "samples"]
    text = events.Tensors("recipe/text_summary")[0].tensor_proto.string_val[0].decode()
    assert '"seed": 3' in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["steps.csv", "steps.jsonl", "tensorboard"]


def test_tensorboard_forgets_what_came_after_the_checkpoint_of_a_resume(tmp_path: Path) -> None:
    first = Tracking.open(tmp_path, ["tensorboard"], "a run", CONFIG)
    for step in range(1, 8):
        first.log(step, {"loss": float(step)})
    first.flush()  # and then it is killed; the last checkpoint is of step 4
    second = Tracking.open(tmp_path, ["tensorboard"], "a run", CONFIG, from_step=4)
    for step in range(5, 10):
        second.log(step, {"loss": 100.0 + step})
    second.close()
    expected = [(step, float(step) if step < 5 else 100.0 + step) for step in range(1, 10)]
    assert scalars(tmp_path, "loss") == expected
    assert [(row["step"], row["loss"]) for row in files.read_jsonl(tmp_path / "steps.jsonl")] == expected
    first.close()


class Recording(library.GeneralTracker):  # type: ignore[misc]
    """A tracker that a test can spoil: one of its calls does something else."""

    name = "recording"
    requires_logging_directory = False
    main_process_only = False
    calls: list[Any]

    def __init__(self, run_name: str, spoiled: str = "", instead: Callable[[], Any] | None = None) -> None:
        super().__init__()
        self.run_name, self.spoiled, self.instead = run_name, spoiled, instead
        self.calls = []

    @property
    def tracker(self) -> None:
        return None

    def _call(self, name: str, *values: Any) -> None:
        if name == self.spoiled and self.instead is not None:
            self.instead()
        self.calls.append((name, *values))

    def start(self) -> None:
        self._call("start")

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        self._call("store", values)

    def log(self, values: dict[str, Any], step: int | None = None, **_: Any) -> None:
        self._call("log", step, values)

    def finish(self) -> None:
        self._call("finish")


def spoil(monkeypatch: pytest.MonkeyPatch, call: str = "", instead: Callable[[], Any] | None = None) -> list[Recording]:
    """Let ``accelerate`` know the tracker ``recording``."""
    made: list[Recording] = []

    def make(run_name: str) -> Recording:
        made.append(Recording(run_name, call, instead))
        return made[-1]

    make.requires_logging_directory = False  # type: ignore[attr-defined]
    monkeypatch.setitem(library.LOGGER_TYPE_TO_CLASS, "recording", make)
    monkeypatch.setattr(library, "_available_trackers", [*library.get_available_trackers(), "recording"])
    return made


def test_a_tracker_gets_settings_and_finite_numbers_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    made = spoil(monkeypatch)
    tracking = Tracking.open(tmp_path, ["recording", "recording"], "a run", CONFIG)
    tracking.log(1, {"loss": 0.5, "stage": "one", "tokens": None})
    tracking.log(2, {"loss": float("nan"), "samples": 4})
    tracking.close()
    assert [tracker.calls for tracker in made] == [
        [
            ("start",),
            ("store", flat(CONFIG)),
            ("log", 1, {"loss": 0.5}),
            ("log", 2, {"samples": 4}),
            ("finish",),
        ]
    ]
    assert (made[0].run_name, capfd.readouterr().err) == ("a run", "")
    assert flat(CONFIG) == {
        "name": "tiny",
        "training.seed": 3,
        "training.trackers": '["tensorboard"]',
        "training.patience": "null",
    }


def whole_run(folder: Path) -> list[dict[str, Any]]:
    tracking = Tracking.open(folder, ["recording"], "a run", CONFIG)
    for step in (1, 2, 3, 4):
        tracking.log(step, {"loss": 1 / step})
        tracking.flush()
    tracking.close()
    return list(files.read_jsonl(folder / "steps.jsonl"))


def fail() -> None:
    raise ConnectionError("no route\nto host")


def leave() -> None:
    raise SystemExit(3)


@pytest.mark.parametrize("call", ["start", "store", "log", "finish"])
@pytest.mark.parametrize(("instead", "said"), [(fail, "ConnectionError: no route to host"), (leave, "SystemExit: 3")])
def test_a_tracker_that_fails_is_told_once_and_the_log_has_everything(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    call: str,
    instead: Callable[[], None],
    said: str,
) -> None:
    spoil(monkeypatch, call, instead)
    assert [row["step"] for row in whole_run(tmp_path)] == [1, 2, 3, 4]
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"recording failed with {said}. It is left out")


@pytest.mark.parametrize("call", ["start", "log", "finish"])
def test_a_tracker_that_hangs_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], call: str
) -> None:
    freed = threading.Event()
    spoil(monkeypatch, call, freed.wait)
    for limit in ("START_SECONDS", "FINISH_SECONDS"):
        monkeypatch.setattr(background, limit, 0.05 if limit.startswith(call.upper()) or call == "log" else 60.0)
    assert len(whole_run(tmp_path)) == 4
    lines = capfd.readouterr().err.splitlines()
    freed.set()
    assert len(lines) == 1
    assert lines[0].startswith("recording did not answer")


def test_a_tracker_that_does_not_keep_up_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    freed = threading.Event()
    spoil(monkeypatch, "log", freed.wait)
    tracking = Tracking.open(tmp_path, ["recording"], "a run", CONFIG)
    for step in range(1, 1100):
        tracking.log(step, {"loss": 1.0})
    freed.set()
    tracking.close()
    assert capfd.readouterr().err.startswith("recording does not keep up: 1000 rows wait for it")
    assert len(list(files.read_jsonl(tmp_path / "steps.jsonl"))) == 1099


def test_a_tracker_that_draws_random_numbers_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw() -> None:
        random.random()
        np.random.rand()
        torch.rand(())

    spoil(monkeypatch, "start", draw)

    def drawn() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    def seeded() -> None:
        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)

    seeded()
    expected = drawn()
    seeded()
    tracking = Tracking.open(tmp_path, ["recording"], "a run", CONFIG)
    assert drawn() == expected
    tracking.close()


@pytest.mark.parametrize(("given", "near"), [("tensorbord", "tensorboard"), ("wandbd", "wandb"), ("comet", "comet_ml")])
def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path, given: str, near: str) -> None:
    with pytest.raises(RecipeError, match=f"no tracker {given!r}; did you mean {near!r}"):
        Tracking.open(tmp_path / "log", ["tensorboard", given], "a run", CONFIG)
    assert not (tmp_path / "log").exists()


def test_a_known_name_without_its_library_is_told_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(library, "_available_trackers", [])
    tracking = Tracking.open(tmp_path, ["tensorboard", "comet_ml"], "a run", CONFIG)
    tracking.log(1, {"loss": 1.0})
    tracking.close()
    lines = capfd.readouterr().err.splitlines()
    assert [line.partition(";")[0] for line in lines] == [
        "tensorboard: not used, tensorboard is not installed",
        "comet_ml: not used, comet-ml is not installed",
    ]
    assert len(list(files.read_jsonl(tmp_path / "steps.jsonl"))) == 1


def test_without_accelerate_there_is_the_runs_own_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "accelerate.tracking", None)
    assert names.known() == {}
    tracking = Tracking.open(tmp_path, ["tensorboard"], "a run", CONFIG)
    tracking.close()
    assert "accelerate is not installed" in capfd.readouterr().err


def test_every_tracker_stays_on_this_machine_unless_the_user_said_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WANDB_MODE", "MLFLOW_TRACKING_URI", "CLEARML_OFFLINE_MODE", "SWANLAB_MODE", "COMET_START_ONLINE"):
        monkeypatch.delenv(name, raising=False)
    here = str(tmp_path.resolve())

    def of(name: str) -> tuple[dict[str, Any], dict[str, str]]:
        found = settings(name, tmp_path, "a run", 0, needs_folder=False)
        return found.arguments, found.environment

    assert of("wandb")[1]["WANDB_MODE"] == "offline"
    assert of("wandb")[0]["dir"] == here
    assert of("mlflow")[1]["MLFLOW_TRACKING_URI"] == f"sqlite:///{here}/mlflow.db"
    assert of("comet_ml")[0]["online"] is False
    assert of("clearml")[1]["CLEARML_OFFLINE_MODE"] == "1"
    assert of("swanlab")[1]["SWANLAB_MODE"] == "offline"
    assert of("trackio")[1]["TRACKIO_DIR"].startswith(here)
    assert of("dvclive")[0]["dir"].startswith(here)
    assert settings("aim", tmp_path, "a run", 0, needs_folder=True).arguments["logging_dir"] == here
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("COMET_START_ONLINE", "1")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example")
    settings("wandb", tmp_path, "a run", 0, needs_folder=False).apply()
    assert os.environ["WANDB_MODE"] == "online"
    assert "online" not in of("comet_ml")[0]
    assert "logging_dir" not in of("mlflow")[0]


@pytest.mark.parametrize("name", sorted(library.LOGGER_TYPE_TO_CLASS))
def test_accelerates_classes_take_the_arguments(tmp_path: Path, name: str) -> None:
    kind = library.LOGGER_TYPE_TO_CLASS[name]
    found = settings(name, tmp_path, "a run", 7, needs_folder=kind.requires_logging_directory)
    assert kind(**found.arguments).name == name
