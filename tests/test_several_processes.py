"""Training and answering by two real processes, which gloo connects over the loopback: as one process does it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from safetensors.torch import load_file

import miniature
from radvqa.commands.predict import predict
from radvqa.commands.train import train
from radvqa.errors import RunError
from radvqa.models import random_checkpoints
from radvqa.run import Run
from training import tiny_curriculum

pytestmark = pytest.mark.slow

LONGEST = 240  # seconds that a command may take before it counts as hanging
ROUNDING = 2e-5  # sums of a batch in two parts, over some thirty steps of Adam
WORDS = [
    "what modality is used ? which organ is shown does the picture contain a liver is this an x - ray yes no ct lung"
]
TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")
FSDP = {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "ACCELERATE_USE_CPU": "true"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with data sets and recipes; commands run in it."""
    folder = tmp_path_factory.mktemp("several")
    miniature.slake(folder / "data" / "slake")
    miniature.vqa_rad(folder / "data" / "vqa_rad")
    tiny_curriculum.recipe(folder / "learns.yaml")
    tiny_curriculum.recipe(folder / "frozen.yaml", model__frozen=True, model__dropout=0.0, training__micro_batch_size=3)
    _generator(folder)
    yield folder
    left = [one for one in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(one.info["cmdline"] or ())]
    assert left == [], "no process is left behind"


def _generator(folder: Path) -> None:
    """Write a recipe of a LoRA generator with ragged batches (23 and 1 of 24 questions) and parts of them."""
    made = random_checkpoints.write("linear_llm", "tiny", folder / "checkpoint", WORDS)
    lora = {"r": 2, "alpha": 4, "dropout": 0.0, "targets": ["q_proj", "v_proj"]}
    modes = {"vision": "frozen", "fusion": "full", "language_model": "lora"}
    path = miniature.recipe(folder / "writes.yaml", training__trackers=[], training__log_every=1)
    page = json.loads(path.read_text(encoding="utf-8"))
    page["model"] = {**made, "train": modes, "lora": lora}
    page["training"].update(batch_size=23, micro_batch_size=5, clip_norm=0.5, learning_rate=0.003, select_by="token_f1")
    miniature.write(path, page)


@pytest.fixture
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(home / "data"))
    return home


def run(*command: object, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a Python module to its end."""
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        timeout=LONGEST,
    )


def well(done: subprocess.CompletedProcess[str]) -> str:
    """Its standard output; it must have ended well."""
    assert done.returncode == 0, done.stderr
    return done.stdout


def require_alike(one: Path, other: Path) -> None:
    """Histories, logs and weights differ by rounding only."""
    for name in ("history.jsonl", "log/steps.jsonl"):
        ours, theirs = (_rows(folder / name) for folder in (one, other))
        assert len(ours) == len(theirs) > 0
        for row, expected in zip(ours, theirs, strict=True):
            assert row == {key: _about(value) for key, value in expected.items()}
    for path in (one / "checkpoints").rglob("*.safetensors"):
        ours, theirs = load_file(path), load_file(other / path.relative_to(one))
        assert set(ours) == set(theirs)
        for key, tensor in ours.items():
            assert (tensor.double() - theirs[key].double()).abs().max().item() < ROUNDING, key
    assert tiny_curriculum.facts(one)["best_epoch"] == tiny_curriculum.facts(other)["best_epoch"]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _about(value: Any) -> Any:
    return pytest.approx(value, abs=ROUNDING, rel=ROUNDING) if isinstance(value, float) else value


def test_a_curriculum_of_a_classifier_comes_to_what_one_process_comes_to(here: Path) -> None:
    one = train(here / "frozen.yaml", out=here / "frozen-1", doctor=False)
    printed = well(run("radvqa", "train", "frozen.yaml", "--out", "frozen-2", "--processes", 2, "--json", cwd=here))
    facts = json.loads(printed)  # one object: only the main process prints
    assert facts["processes"] == 2
    assert facts["cost"]["samples"] == one.facts["cost"]["samples"]
    require_alike(here / "frozen-2", here / "frozen-1")

    predict(here / "frozen-1")
    alone = (here / "frozen-1" / "predictions.jsonl").read_bytes()
    well(run(*TORCHRUN, "radvqa", "predict", "frozen-1", cwd=here, env={"OMP_NUM_THREADS": "1"}))
    assert (here / "frozen-1" / "predictions.jsonl").read_bytes() == alone


def test_a_lora_generator_comes_to_what_one_process_comes_to_and_its_answers_too(here: Path) -> None:
    train(here / "writes.yaml", out=here / "writes-1", doctor=False)
    well(run(*TORCHRUN, "radvqa", "train", "writes.yaml", "--out", "writes-2", cwd=here))
    require_alike(here / "writes-2", here / "writes-1")

    # two passes of 64 and 8 questions about all pictures, so that both processes answer and the end is ragged
    page = json.loads((here / "writes.yaml").read_text(encoding="utf-8"))
    asked = {"data": "slake:en", "split": "all.json"}
    assert page["data"]["name"] == asked["data"]
    predict(here / "writes-1")
    alone = {name: (here / "writes-1" / name).read_bytes() for name in ("predictions.jsonl", "baselines.jsonl")}
    notes = Run(here / "writes-1").facts["answering"]
    well(run("radvqa", "predict", "writes-1", "--processes", 2, cwd=here))
    assert {name: (here / "writes-1" / name).read_bytes() for name in alone} == alone
    again = Run(here / "writes-1").facts["answering"]
    (name,) = notes
    assert again[name]["answers_cut_at_the_limit"] == notes[name]["answers_cut_at_the_limit"]


def test_weights_that_fsdp_spreads_come_to_the_same(here: Path) -> None:
    train(here / "writes.yaml", out=here / "spread-1", doctor=False)
    launcher = ("accelerate.commands.launch", "--cpu", "--num_processes", 2, "--num_machines", 1, "-m")
    well(run(*launcher, "radvqa", "train", "writes.yaml", "--out", "spread-2", cwd=here, env=FSDP))
    require_alike(here / "spread-2", here / "spread-1")
    assert (here / "spread-2" / "checkpoints" / "adapter" / "adapter_model.safetensors").is_file()


def start(here: Path, folder: str) -> subprocess.Popen[str]:
    command = ["-m", "radvqa", "train", "learns.yaml", "--no-doctor", "--out", folder, "--processes", "2"]
    return miniature.starting(command, cwd=here)


def kill_after(step: int, process: subprocess.Popen[str], folder: Path, *, launcher: bool) -> str:
    """Kill the launcher, or the second of its processes, once a step is kept; returns what was said."""
    while not any(int(path.stem[5:]) >= step for path in (folder / "checkpoints" / "resume").glob("step-*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    started = psutil.Process(process.pid).children(recursive=True)
    workers = [one for one in started if one.environ().get("LOCAL_RANK") == "1"]
    os.kill(process.pid if launcher else workers[0].pid, signal.SIGKILL)
    said = process.communicate(timeout=LONGEST)[1]
    assert process.returncode == (-signal.SIGKILL if launcher else 1)
    assert psutil.wait_procs(started, timeout=LONGEST)[1] == [], "the others end too"
    return said


def test_killed_processes_end_together_and_go_on_bit_by_bit(here: Path) -> None:
    well(run("radvqa", "train", "learns.yaml", "--no-doctor", "--out", "whole", "--processes", 2, cwd=here))
    folder = here / "killed"
    said = kill_after(4, start(here, "killed"), folder, launcher=False)
    assert "process 1 was ended by SIGKILL" in said
    kill_after(12, start(here, "killed"), folder, launcher=True)

    with pytest.raises(RunError, match="was trained by 2 processes so far, and now there are 1"):
        train(here / "learns.yaml", out=folder, doctor=False)
    process = start(here, "killed")
    said = process.communicate(timeout=LONGEST)[1]
    assert process.returncode == 0, said
    assert said.count("going on from step") == 1, "only the main process speaks"
    assert tiny_curriculum.differences(folder, tiny_curriculum.outcome(here / "whole")) == []
    assert tiny_curriculum.torn(folder) == []


def test_what_all_processes_find_wrong_is_said_once(here: Path) -> None:
    done = run("radvqa", "train", "learns.yaml", "seed=1", "lr=-1", "--processes", 2, cwd=here)
    assert done.returncode == 1
    assert done.stderr.count("learning_rate") == 1, done.stderr
    assert "Traceback" not in done.stderr
    refused = run(*TORCHRUN, "radvqa", "train", "learns.yaml", "--processes", 3, cwd=here)
    assert "--processes 3 starts processes on this machine" in refused.stderr
