"""Two real processes that are killed: the other ends too, and the same command goes on bit by bit."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import tiny_curriculum
from two_processes import LONGEST, TORCHRUN, data, left_behind, run, well

import miniature
from radvqa.commands.train import train
from radvqa.errors import RunError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with data sets and recipes; commands run in it."""
    folder = tmp_path_factory.mktemp("killed")
    data(folder)
    tiny_curriculum.recipe(folder / "learns.yaml")
    yield folder
    assert left_behind(folder) == []


@pytest.fixture
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(home / "data"))
    return home


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
