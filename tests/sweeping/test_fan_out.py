"""Dividing a cluster among runs, and what a job in a worker leaves behind."""

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest

import miniature
from radvqa.errors import RadvqaError
from radvqa.sweeping.fan_out import Cluster, cluster


class Nodes(ModuleType):
    """What Ray tells of its machines."""

    def __init__(self, *resources: dict[str, float]) -> None:
        super().__init__("ray")
        self._resources = resources

    def nodes(self) -> list[dict[str, Any]]:
        return [
            {"NodeID": str(i), "NodeManagerHostname": f"host{i}", "Alive": True, "Resources": one}
            for i, one in enumerate(self._resources)
        ]


def share(*resources: dict[str, float], jobs: int, **asked: Any) -> tuple[int, float]:
    settings = {"at_once": None, "cpus": None, "gpus": None, "retries": 2, "use_gpus": True, **asked}
    found = Cluster(Nodes(*resources)).share(jobs, **cast("Any", settings))
    return found.cpus, found.gpus


def test_cores_are_shared_evenly_and_no_run_needs_more_than_a_machine_has() -> None:
    assert share({"CPU": 8}, jobs=4) == (2, 0)
    assert share({"CPU": 2}, jobs=9) == (1, 0)
    assert share({"CPU": 16}, jobs=9, at_once=2) == (8, 0)
    assert share({"CPU": 4}, {"CPU": 8}, jobs=1) == (4, 0)
    assert share({"CPU": 0}, {"CPU": 8}, jobs=2) == (4, 0)  # a head node that does not compute


def test_each_run_has_a_gpu_where_there_is_one() -> None:
    assert share({"CPU": 16, "GPU": 2}, jobs=9) == (8, 1)
    assert share({"CPU": 16, "GPU": 2}, jobs=9, use_gpus=False) == (1, 0)
    assert share({"CPU": 16, "GPU": 1}, jobs=9, gpus=0.25) == (4, 0.25)
    assert share({"CPU": 64}, {"CPU": 16, "GPU": 1}, jobs=9) == (16, 1)
    assert share({"CPU": 16, "GPU": 2}, jobs=9, cpus=3, gpus=0) == (3, 0)


@pytest.mark.parametrize("asked", [{"cpus": 9}, {"gpus": 1.0}, {"cpus": 8, "gpus": 0.5}])
def test_asking_for_more_than_a_machine_has_is_refused(asked: dict[str, float]) -> None:
    with pytest.raises(RadvqaError, match=r"No machine has .* \(host0: 8 cores, 0 GPUs\); ask for less"):
        share({"CPU": 8}, jobs=2, **asked)


def test_without_ray_the_way_to_get_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    before = dict(os.environ)
    with pytest.raises(RadvqaError, match=r"pip install 'radvqa\[sweep\]'"), cluster():
        pass
    assert dict(os.environ) == before


WORK = """
import json, os, sys
from radvqa.errors import RadvqaError
from radvqa.sweeping.worker import Surroundings, work_through

def work(how):
    print("working")
    os.system("echo from a program")
    if how == "mistake":
        raise RadvqaError("The file is absent.")
    if how == "bug":
        raise ValueError("no such thing")

around = Surroundings(sys.argv[2], 3, {"RADVQA_DATA": "/there"})
said = work_through(work, {"how": sys.argv[1]}, "r8", sys.argv[3], around)
print(json.dumps([said, os.getcwd(), os.environ["OMP_NUM_THREADS"], os.environ["RADVQA_DATA"]]))
"""


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("well", "[null,"),
        ("mistake", '["The file is absent.",'),
        ("bug", '["An unexpected ValueError: no such thing (the whole of it is in r8.log).",'),
    ],
)
def test_a_job_stands_where_it_was_asked_from_and_everything_goes_into_its_log(
    how: str, said: str, tmp_path: Path
) -> None:
    log = tmp_path / "logs" / "r8.log"
    for times in (1, 2):  # a job that begins again keeps what was there
        done = miniature.python(WORK, how, tmp_path, log)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        written = log.read_text(encoding="utf-8")
        assert written.count("threads: 3\n") == written.count("working\n") == written.count("from a program") == times
        assert said in written
        assert f'"{tmp_path}", "3", "/there"]' in written
    assert ("Traceback" in written) == (how == "bug")


def test_surroundings_hold_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from radvqa.sweeping.worker import Surroundings

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RADVQA_DATA", "/data")
    for name in ("HF_TOKEN", "RADVQA_DEIDENTIFY_KEY"):
        monkeypatch.setenv(name, "secret")
    found = Surroundings.of_this_process(2)
    assert (found.folder, found.threads, found.variables["RADVQA_DATA"]) == (str(tmp_path), 2, "/data")
    assert "secret" not in found.variables.values()
