"""A training that is killed anywhere goes on where it was, and comes to the same, bit by bit."""

import importlib
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_curriculum as tiny
import torch

import miniature
from miniature import change, radvqa, starting
from radvqa.commands.train import train
from radvqa.errors import RadvqaError, RunError
from radvqa.models.classifier import AnswerClassifier
from radvqa.models.families import cnn_lstm
from radvqa.models.zoo import FAMILIES
from radvqa.run import Run
from radvqa.training import stage_run
from radvqa.training.compiled import CompileTrial
from radvqa.training.snapshot import Snapshot, Snapshots
from radvqa.training.stage_run import StageRun

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

NURSERY = Path(__file__).with_name("nursery.py")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both data sets, and a cache, for all tests that do not change them."""
    made = tmp_path_factory.mktemp("made")
    miniature.slake(made / "data" / "slake")
    miniature.vqa_rad(made / "data" / "vqa_rad")
    return made


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and data."""
    monkeypatch.setenv("RADVQA_DATA", str(made / "data"))
    monkeypatch.setenv("RADVQA_CACHE", str(made / "cache"))
    return tmp_path


@pytest.fixture(scope="module")
def known() -> dict[str, dict[str, Any]]:
    """What recipes come to, by their text."""
    return {}


@pytest.fixture
def in_one_go(folder: Path, known: dict[str, dict[str, Any]]) -> Callable[[Path], dict[str, Any]]:
    """What a recipe comes to when nothing interrupts it."""

    def trained(path: Path) -> dict[str, Any]:
        text = path.read_text(encoding="utf-8")
        if text not in known:
            train(path, out=folder / "whole", doctor=False)
            known[text] = tiny.outcome(folder / "whole")
        return known[text]

    return trained


class Nursery:
    """Starts commands of radvqa in processes of their own, and kills them; see ``nursery``."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.log = folder / "said.txt"
        self._process = subprocess.Popen(
            [sys.executable, str(NURSERY)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **env},
        )

    def run(self, *command: object, **ending: Any) -> int:
        """Run a command; returns its exit code, -9 when it was killed."""
        assert self._process.stdin
        assert self._process.stdout
        task = {"command": [str(part) for part in command], "log": str(self.log), **ending}
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def said(self) -> str:
        """What all commands since the last call said."""
        text = self.log.read_text(encoding="utf-8")
        self.log.write_text("", encoding="utf-8")
        return text

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture
def nursery(folder: Path) -> Iterator[Nursery]:
    kept = Nursery(folder, RADVQA_CACHE=str(folder / "another-cache"), OMP_NUM_THREADS="1")
    yield kept
    kept.close()


@pytest.fixture
def uninterrupted(folder: Path, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the curriculum comes to in one go, in a fresh process."""
    path = tiny.recipe(folder / "tiny.yaml")
    if "in a process" not in known:
        done = radvqa("train", path, "--out", folder / "whole", cwd=folder)
        assert done.returncode == 0, done.stderr
        assert not tiny.torn(folder / "whole")
        known["in a process"] = tiny.outcome(folder / "whole")
    return known["in a process"]


MOST = {  # how often a life may reach a point of the program at most, before it is killed there
    "step": 4,
    "look": 2,
    "snapshot": 4,
    "rename": 16,
    "flush": 30,
    "save": 5,
    "tear": 5,
    "delete": 6,
    "log": 4,
    "prepare": 1,
    "card": 1,
}


KILLS = 24


def endings(seed: int) -> Iterator[dict[str, Any]]:
    """Moments at which to kill: points of the program, and now and then any time at all."""
    drawn = random.Random(seed)
    while True:
        if drawn.random() < 0.25:
            yield {"seconds": drawn.uniform(0.05, 2.5)}
        else:
            point = drawn.choice(list(MOST))
            before = drawn.random() < 0.5 and point != "tear"
            yield {"point": point, "number": drawn.randint(1, MOST[point]), "before": before}


@pytest.mark.slow
def test_killed_anywhere_it_comes_to_the_same(folder: Path, nursery: Nursery, uninterrupted: dict[str, Any]) -> None:
    path, killed, gone_on = folder / "tiny.yaml", 0, 0
    ways = endings(0)
    for number in itertools.count():
        run = folder / f"killed-{number}"
        command = ("train", path, f"training.checkpoint_seconds={0.15 * (number % 3 == 1)}", "--out", run)
        while code := nursery.run(*command, **next(ways)):
            assert code == -9, nursery.said()
            killed += 1
        assert nursery.run(*command) == 0, nursery.said()  # finished already, or killed when all was done
        assert not tiny.differences(run, uninterrupted)
        assert not tiny.torn(run)
        said = nursery.said()
        assert "damaged" not in said  # whole or not there, whenever it was killed
        gone_on += said.count("going on from step")
        if killed >= KILLS:
            break
    assert gone_on >= KILLS // 3


@pytest.mark.slow
def test_killed_at_random_times_by_the_same_command(folder: Path, uninterrupted: dict[str, Any]) -> None:
    """As people run it: ``python -m radvqa train`` in a fresh process each time, from start-up on."""
    drawn, run = random.Random(7), folder / "killed"
    command = ["-m", "radvqa", "train", folder / "tiny.yaml", "--out", run]
    for lives in range(5):
        process = starting(command)
        wait_for(run / "checkpoints" / "model.json", process, lives > 0)
        time.sleep(drawn.uniform(0, 0.6))
        process.kill()
        process.communicate()
        assert process.returncode == -9
    done = radvqa(*command[2:], cwd=folder)
    assert done.returncode == 0, done.stderr
    assert not tiny.differences(run, uninterrupted)
    assert not tiny.torn(run)


def wait_for(path: Path, process: subprocess.Popen[str], known: bool) -> None:
    """Until a file is there, or written once more."""
    before = path.stat().st_mtime_ns if known and path.is_file() else None
    while not path.is_file() or path.stat().st_mtime_ns == before:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


@pytest.mark.slow
def test_every_step_may_be_the_last(folder: Path, in_one_go: Callable[[Path], dict[str, Any]]) -> None:
    """Interrupted before each of its steps in turn, one run over."""
    path = tiny.recipe(folder / "tiny.yaml")
    expected, steps = in_one_go(path), 21
    for step in range(1, steps + 1):
        tiny.interrupt(path, folder / "run", step)
    train(path, out=folder / "run", doctor=False)
    assert not tiny.differences(folder / "run", expected)
    assert Run(folder / "run").facts["cost"]["interruptions"] == steps - 1  # before the first step there was nothing


@pytest.mark.slow
def test_snapshots_now_and_then_lose_no_more_than_their_pace(
    folder: Path, in_one_go: Callable[[Path], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot every few looks at the clock; what was done since the last one is done once more."""
    path = tiny.recipe(folder / "tiny.yaml")
    expected = in_one_go(path)
    clock = itertools.count()
    monkeypatch.setattr("radvqa.training.pace.time.monotonic", lambda: next(clock) / 2)
    done: list[int] = []
    write = Snapshots.write

    def noted(self: Snapshots, step: int, *rest: Any, **named: Any) -> None:
        done.append(step)
        write(self, step, *rest, **named)

    monkeypatch.setattr(Snapshots, "write", noted)
    tiny.interrupt(path, folder / "run", 13, "training.checkpoint_seconds=2")
    assert 1 < len(done) < 8
    train(path, ["training.checkpoint_seconds=2"], out=folder / "run", doctor=False)
    assert not tiny.differences(folder / "run", expected)


# what is left out must be missed

AT = 8  # in the second stage, behind a look and inside an epoch


def without(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a part begin anew where everything else goes on."""

    def put_back(self: Snapshot, parts: Any) -> None:
        assert part in parts
        for name, one in parts.items():
            if name != part:
                one.load(self.states[name])

    monkeypatch.setattr(Snapshot, "put_back", put_back)


def of_weights(names: list[str]) -> bool:
    return "checkpoints/last.safetensors" in names


WEIGHTS = ("position", "model", "optimizer", "random", "sampler", "average")  # change the weights when they are lost
TOLD = {"sums": ["history.jsonl"], "history": ["history.jsonl"], "done": ["stages"], "stopping": ["stages"]}


EVERY_PART_AT_WORK = [
    {"name": "before", "steps": 2},
    {**tiny.STAGES[0], "steps": 10, "schedule": "linear"},
]


@pytest.mark.parametrize("part", [*WEIGHTS, *TOLD, "meter", None])
def test_every_part_of_the_state_is_missed(
    folder: Path, in_one_go: Callable[[Path], dict[str, Any]], monkeypatch: pytest.MonkeyPatch, part: str | None
) -> None:
    path = tiny.recipe(folder / "tiny.yaml", EVERY_PART_AT_WORK)
    expected = in_one_go(path)
    tiny.interrupt(path, folder / "run", AT)
    if part is not None:
        without(part, monkeypatch)
    train(path, out=folder / "run", doctor=False)
    odd = tiny.differences(folder / "run", expected)
    if part is None or part == "meter":  # the meter counts time and work, and decides nothing
        assert not odd
    elif part in WEIGHTS:
        assert of_weights(odd)
    else:
        assert set(TOLD[part]) <= set(odd)


@pytest.mark.slow
def test_a_size_that_fits_is_not_forgotten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory runs out once; batch norm that learns sees the parts, so that their size changes the weights."""
    path = tiny.recipe(folder / "tiny.yaml", None, training__epochs=4, training__batch_size=6)
    real, full = AnswerClassifier.loss, itertools.count(1)

    def hungry(self: Any, prepared: Any, rows: torch.Tensor, **named: Any) -> Any:
        if self.module.training and next(full) == 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(self, prepared, rows, **named)

    monkeypatch.setattr(AnswerClassifier, "loss", hungry)
    train(path, out=folder / "whole", doctor=False)
    expected = tiny.outcome(folder / "whole")
    full = itertools.count(1)
    tiny.interrupt(path, folder / "run", 7)
    shutil.copytree(folder / "run", folder / "forgetful")
    train(path, out=folder / "run", doctor=False)
    assert not tiny.differences(folder / "run", expected)
    without("micro_batches", monkeypatch)
    train(path, out=folder / "forgetful", doctor=False)
    assert of_weights(tiny.differences(folder / "forgetful", expected))


@pytest.mark.slow
def test_the_scale_of_half_precision_is_not_forgotten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scale begins too large: the first steps are skipped, and would be once more by a scale that begins anew."""
    path = family_recipe(folder, "linear_llm", steps=24, model={"precision": "fp16"})
    scales: list[float] = []
    update = torch.amp.GradScaler.update

    def noted(self: Any, *rest: Any) -> None:
        update(self, *rest)
        scales.append(self.get_scale())

    monkeypatch.setattr(torch.amp.GradScaler, "update", noted)
    monkeypatch.setattr(torch.amp, "GradScaler", partial(torch.amp.GradScaler, init_scale=2.0**26))
    train(path, out=folder / "whole", doctor=False)
    assert 2.0**10 < scales[11] < 2.0**26  # skipped, and then learned
    assert scales[11] == scales[10]
    expected = tiny.outcome(folder / "whole")
    tiny.interrupt(path, folder / "run", 13)
    shutil.copytree(folder / "run", folder / "forgetful")
    train(path, out=folder / "run", doctor=False)
    assert not tiny.differences(folder / "run", expected)
    without("scaler", monkeypatch)
    train(path, out=folder / "forgetful", doctor=False)
    assert of_weights(tiny.differences(folder / "forgetful", expected))


@pytest.mark.slow
def test_a_trial_of_the_compiler_is_not_begun_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that ticks evenly nothing is gained; a trial that begins anew has no time to find that out."""
    ticks = itertools.count()
    trial = partial(
        CompileTrial, eager_steps=3, warm_steps=1, compiled_steps=3, backend="eager", clock=lambda: float(next(ticks))
    )
    monkeypatch.setattr(stage_run, "CompileTrial", trial)
    path = tiny.recipe(
        folder / "tiny.yaml", None, training__steps=9, training__epochs=None, training__compile="measure"
    )
    train(path, out=folder / "whole", doctor=False)
    expected = tiny.outcome(folder / "whole")
    assert "compiled steps take 0% less time" in Run(folder / "whole").facts["stages"][0]["compile"]["reason"]
    tiny.interrupt(path, folder / "run", 6)
    shutil.copytree(folder / "run", folder / "forgetful")
    train(path, out=folder / "run", doctor=False)
    assert not tiny.differences(folder / "run", expected)
    without("compile", monkeypatch)
    train(path, out=folder / "forgetful", doctor=False)
    assert tiny.differences(folder / "forgetful", expected) == ["stages"]


def test_all_parts_were_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that is added must be added to these tests."""
    seen: set[str] = set()

    def noted(stage: StageRun) -> None:
        seen.update(stage.parts)
        raise tiny.Interrupted

    monkeypatch.setattr(StageRun, "step", noted)
    with pytest.raises(tiny.Interrupted):
        train(tiny.recipe(folder / "tiny.yaml", EVERY_PART_AT_WORK[1:]), out=folder / "run", doctor=False)
    assert seen == {*WEIGHTS, *TOLD, "meter", "micro_batches", "scaler", "compile"}


@pytest.mark.slow
def test_other_random_states_go_on_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model may draw from Python's and numpy's generators as well as from torch's."""
    real = cnn_lstm.CnnLstm.logits

    def noisy(self: Any, inputs: Any, rows: torch.Tensor) -> torch.Tensor:
        drawn = random.gauss(0, 1) + np.random.normal() if self.net.training else 0.0
        return real(self, inputs, rows) * (1 + 0.1 * drawn)

    monkeypatch.setattr(cnn_lstm.CnnLstm, "logits", noisy)
    path = tiny.recipe(folder / "tiny.yaml", None, training__epochs=3)
    random.seed(1)
    np.random.seed(1)
    train(path, out=folder / "whole", doctor=False)
    expected = tiny.outcome(folder / "whole")
    random.seed(1)
    np.random.seed(1)
    tiny.interrupt(path, folder / "run", 6)
    random.seed(2)
    np.random.seed(2)
    train(path, out=folder / "run", doctor=False)
    assert not tiny.differences(folder / "run", expected)


def family_recipe(folder: Path, family: str, steps: int, model: dict[str, Any] | None = None) -> Path:
    """A recipe of a tiny checkpoint of any family."""
    section = importlib.import_module(f"tiny_{family}").section(folder / "weights")
    path = tiny.recipe(
        folder / f"{family}.yaml",
        None,
        training__epochs=None,
        training__steps=steps,
        training__evaluate_every=steps,
        training__select_by="token_f1",
        training__batch_size=6,
    )
    page = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**page, "model": {**section, **(model or {})}}), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in ("endpoint", "coattention", "cnn_lstm")])
def test_every_family_goes_on(folder: Path, family: str) -> None:
    path = family_recipe(folder, family, steps=5)
    train(path, out=folder / "whole", doctor=False)
    tiny.interrupt(path, folder / "run", 4)
    train(path, out=folder / "run", doctor=False)
    assert not tiny.differences(folder / "run", tiny.outcome(folder / "whole"))


# damage, full disks, and what must not be mixed


def snapshots(run: Path) -> list[Path]:
    return sorted((run / "checkpoints" / "resume").iterdir())


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-5] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, flip, partial(Path.write_bytes, data=b"")])
def test_a_damaged_snapshot_is_told_and_the_one_before_is_used(
    folder: Path,
    in_one_go: Callable[[Path], dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], object],
) -> None:
    path = tiny.recipe(folder / "tiny.yaml")
    expected = in_one_go(path)
    tiny.interrupt(path, folder / "run", AT)
    assert [one.name for one in snapshots(folder / "run")] == [f"step-{AT - n:09d}.safetensors" for n in (2, 1)]
    damage(snapshots(folder / "run")[-1])
    capsys.readouterr()
    train(path, out=folder / "run", doctor=False)
    said = capsys.readouterr().err
    assert f"step-{AT - 1:09d}.safetensors is damaged" in said
    assert f"going on from step {AT - 2}" in said
    assert not tiny.differences(folder / "run", expected)
    assert not tiny.torn(folder / "run")


def test_when_both_snapshots_are_damaged_it_begins_anew(
    folder: Path, in_one_go: Callable[[Path], dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tiny.recipe(folder / "tiny.yaml")
    expected = in_one_go(path)
    tiny.interrupt(path, folder / "run", AT)
    for one in snapshots(folder / "run"):
        cut(one)
    capsys.readouterr()
    train(path, out=folder / "run", doctor=False)
    said = capsys.readouterr().err
    assert "None is left, so the training begins anew." in said
    assert "going on from" not in said
    assert not tiny.differences(folder / "run", expected)


@pytest.mark.slow
@pytest.mark.parametrize(("point", "room"), [("snapshot", 60_000), ("step", 0), ("look", 0), ("card", 0)])
def test_a_full_disk_stops_cleanly(
    folder: Path, nursery: Nursery, uninterrupted: dict[str, Any], point: str, room: int
) -> None:
    """From some point on no file can grow (RLIMIT_FSIZE, a real error): too little for a snapshot, or not at all."""
    run, path = folder / "run", folder / "tiny.yaml"
    command = ("train", path, "--out", run)
    number = 1 if point == "card" else 5
    assert nursery.run(*command, point=point, number=number, room=room) == 1
    said = nursery.said()
    assert "Traceback" not in said
    told = [line for line in said.splitlines() if line.startswith("radvqa: ")]
    assert len(told) == 1
    assert told[0].startswith("radvqa: The disk is full, so the training stopped; ")
    assert told[0].endswith("is whole. Free some room and start the same command again.")
    if point != "card":
        kept = Snapshots(run / "checkpoints" / "resume").newest()
        assert kept is not None
        assert f"the checkpoint of step {kept.step} is whole" in told[0]
    assert not list(run.rglob("*.part"))
    assert nursery.run(*command) == 0, nursery.said()
    assert "damaged" not in nursery.said()
    assert not tiny.differences(run, uninterrupted)


@pytest.mark.slow
def test_a_second_process_is_refused(folder: Path) -> None:
    path = tiny.recipe(folder / "tiny.yaml", None, training__epochs=1_000_000)
    command = ["train", path, "--out", folder / "run"]
    first = starting(["-m", "radvqa", *command])
    wait_for(folder / "run" / "history.jsonl", first, known=False)
    second = radvqa(*command, cwd=folder)
    third = radvqa(*command, "--force-new", cwd=folder)
    assert first.poll() is None
    first.kill()
    first.communicate()
    for refused in (second, third):
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"radvqa: The run folder {folder / 'run'} is in use by another process; ")
    assert not (folder / "run-before-1").exists()
    with Run.held(folder / "run"):
        assert not Run(folder / "run").finished  # the lock went with the process


def test_a_changed_recipe_names_the_keys(folder: Path) -> None:
    path = tiny.recipe(folder / "tiny.yaml")
    tiny.interrupt(path, folder / "run", 4)
    with pytest.raises(RunError) as caught:
        train(path, ["stages.2.lr=0.5", "training.seed=2", "model.dropout=0.1"], out=folder / "run", doctor=False)
    message = str(caught.value)
    assert "was begun with another recipe" in message
    for key in ("stages.2.learning_rate (was 0.01, is 0.5)", "training.seed (was 1, is 2)", "model.dropout"):
        assert key in message
    assert "--force-new" in message
    assert "training.checkpoint" not in message
    run = train(path, ["training.checkpoint_seconds=9", "title=another"], out=folder / "run", doctor=False)
    assert run.finished  # keys that do not change what it comes to
    with pytest.raises(RunError, match=r"another recipe: training\.seed \(was 1, is 2\)"):
        train(path, ["training.seed=2"], out=folder / "run", doctor=False)


def test_changed_data_is_refused(mini_slake: Path, tmp_path: Path) -> None:
    path = tiny.recipe(tmp_path / "tiny.yaml", None)
    tiny.interrupt(path, tmp_path / "run", 4)
    change(mini_slake / "validate.json", lambda rows: rows[0].update(answer="MRI"))
    with pytest.raises(RunError, match=r"was begun with other data: select changed since\. Bring the data back"):
        train(path, out=tmp_path / "run", doctor=False)


def test_changed_weights_are_refused(folder: Path) -> None:
    path = family_recipe(folder, "linear_llm", steps=5)
    tiny.interrupt(path, folder / "run", 4)
    shutil.rmtree(folder / "weights" / "vision")
    weights = importlib.import_module("tiny_linear_llm")
    with torch.random.fork_rng():
        torch.manual_seed(99)
        config = weights.Dinov2Config(
            hidden_size=24, num_attention_heads=2, num_hidden_layers=2, image_size=42, patch_size=14, mlp_ratio=2
        )
        weights.Dinov2Model(config).save_pretrained(folder / "weights" / "vision")
    with pytest.raises(RunError, match="was begun with other pretrained weights"):
        train(path, out=folder / "run", doctor=False)


@pytest.mark.slow
def test_force_new_moves_what_was_there_aside(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny.recipe(folder / "tiny.yaml")
    tiny.interrupt(path, folder / "run", 4)
    for number in (1, 2):
        run = train(path, [f"training.seed={number + 1}"], out=folder / "run", doctor=False, force_new=True)
        assert run.finished
        assert run.recipe["training"]["seed"] == number + 1
    assert f"what {folder / 'run'} held is in {folder / 'run-before-2'} now" in capsys.readouterr().err
    assert not Run(folder / "run-before-1").finished
    assert len(snapshots(folder / "run-before-1")) == 2
    assert Run(folder / "run-before-2").recipe["training"]["seed"] == 2


def test_a_finished_run_is_returned_as_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny.recipe(folder / "tiny.yaml", None)
    train(path, out=folder / "run", doctor=False)
    before = {one: one.read_bytes() for one in (folder / "run").rglob("*") if one.is_file()}
    with tiny.interrupted_before(1):
        assert train(path, out=folder / "run", doctor=False).finished
    assert {one: one.read_bytes() for one in (folder / "run").rglob("*") if one.is_file()} == before
    assert "is finished already" in capsys.readouterr().err


def test_a_loss_that_is_no_number_keeps_the_last_good_state(
    folder: Path, in_one_go: Callable[[Path], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tiny.recipe(folder / "tiny.yaml")
    expected = in_one_go(path)
    real, calls = AnswerClassifier.loss, itertools.count(1)
    asked: list[list[str]] = []

    def broken(self: Any, prepared: Any, rows: torch.Tensor, **named: Any) -> Any:
        step = real(self, prepared, rows, **named)
        asked.append([prepared.samples[row].id for row in rows.tolist()])
        return type(step)(step.loss * float("nan"), step.members, step.correct) if next(calls) == 6 else step

    with monkeypatch.context() as patch:
        patch.setattr(AnswerClassifier, "loss", broken)
        with pytest.raises(RadvqaError) as caught:
            train(path, out=folder / "run", doctor=False)
    assert f"at step 6 with the samples {', '.join(asked[5][:8])}" in str(caught.value)
    kept = Snapshots(folder / "run" / "checkpoints" / "resume").newest()
    assert kept is not None
    assert kept.step == 5
    assert all(tensor.isfinite().all() for tensor in kept.states["model"].tensors.values())
    train(path, out=folder / "run", doctor=False)  # what made it was passing, so it comes to the same
    assert not tiny.differences(folder / "run", expected)


@pytest.mark.parametrize("step", [3, 8])
def test_weights_that_are_no_numbers_are_never_best_or_last(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The loss of a step is a number and what it does to the weights is not: told at the look that follows."""
    path = tiny.recipe(folder / "tiny.yaml", tiny.STAGES[:1], training__checkpoint_seconds=1e6)
    update = StageRun._update

    def broken(self: StageRun) -> None:
        update(self)
        if self.shared.position.step + 1 == step:
            with torch.no_grad():
                self.optimizer.parameters[0].view(-1)[0] = float("nan")

    monkeypatch.setattr(StageRun, "_update", broken)
    with pytest.raises(RadvqaError, match=f"The weights are not numbers any more, at step {step} with the samples"):
        train(path, out=folder / "run", doctor=False)
    assert not (folder / "run" / "checkpoints" / "last.safetensors").exists()
    assert len(Run(folder / "run").history) == (step - 1) // 3


def test_what_was_left_out_before_a_kill_is_still_told(mini_slake: Path, mini_vqa_rad: Path, tmp_path: Path) -> None:
    """A picture that only the first stage learns from is bad; the run is interrupted in the second."""
    stages = [
        {"name": "first", "data": [{"name": "vqa_rad:official"}], "steps": 2},
        {"name": "second", "steps": 3},
    ]
    path = tiny.recipe(tmp_path / "tiny.yaml", stages)
    (mini_vqa_rad / "VQA_RAD Image Folder" / "synpic1.jpg").write_bytes(b"")
    skipping = partial(train, path, doctor=False, skip_bad=True)
    expected = skipping(out=tmp_path / "whole").facts["left_out"]
    assert any("synpic1.jpg is empty" in line for line in expected)
    with pytest.raises(tiny.Interrupted), tiny.interrupted_before(4):
        skipping(out=tmp_path / "run")
    assert skipping(out=tmp_path / "run").facts["left_out"] == expected
