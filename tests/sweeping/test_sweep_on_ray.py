"""``radvqa sweep`` on real Ray clusters: two nodes, killed workers, machines and drivers, failing runs."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

import miniature
from radvqa import files
from radvqa.commands.train import train
from radvqa.run import Run

pytestmark = pytest.mark.slow

PATIENCE = 300.0  # seconds for anything to happen
LONG = "epochs=60"  # enough to be killed within


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Any]:
    """A Ray cluster of two nodes with one core each, on the loopback."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        from ray.cluster_utils import Cluster

        node = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80 << 20}
        cluster = Cluster(initialize_head=True, head_node_args=node)
        try:
            cluster.add_node(**node)
            yield cluster
        finally:
            cluster.shutdown()


@pytest.fixture
def place(mini_slake: Path, tmp_path: Path) -> Path:
    """A folder with a recipe of seconds, and data that the nodes were not told of when they were started."""
    miniature.recipe(tmp_path / "tiny.yaml")
    return tmp_path


def command(*arguments: object) -> list[object]:
    return ["-m", "radvqa", "sweep", "tiny.yaml", LONG, *arguments]


def finish(driver: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, err = driver.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        driver.kill()
        pytest.fail(f"it did not end: {driver.communicate()}")
    return driver.returncode, out, err


def sweep(place: Path, *arguments: object) -> tuple[int, str, str]:
    return finish(miniature.starting(command(*arguments), cwd=place))


def until(happened: Callable[[], Any], driver: subprocess.Popen[str] | None = None) -> Any:
    """Wait for something; a driver that ends meanwhile is told in full."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = happened()
        if found:
            return found
        if driver is not None and driver.poll() is not None:
            pytest.fail(f"the driver ended with {driver.returncode}: {driver.communicate()}")
        time.sleep(0.005)
    if driver is not None:
        driver.kill()
        driver.communicate()
    pytest.fail("it did not happen")


def processes(folder: Path, name: str) -> list[int]:
    log = folder / "logs" / f"{name}.log"
    return [int(pid) for pid in re.findall(r"process (\d+) on", log.read_text())] if log.is_file() else []


def in_the_middle(folder: Path, names: Sequence[str]) -> tuple[str, int] | None:
    """A run that has begun to learn and has not ended, and its process."""
    for name in names:
        run = folder / name
        if (run / "history.jsonl").is_file() and not Run(run).finished:
            return name, processes(folder, name)[-1]
    return None


def is_finished(run: Path) -> bool:
    return (run / "run.json").is_file() and Run(run).finished


def learned(run: Path) -> dict[str, Any]:
    """What a run found, without times."""
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in files.read_jsonl(run / "history.jsonl")]
    return {"weights": (run / "checkpoints/best.safetensors").read_bytes(), "history": rows}


def test_a_killed_worker_costs_no_run_and_a_finished_sweep_is_left_alone(two_nodes: Any, place: Path) -> None:
    folder, grid = place / "sweeps/tiny", ("hidden_size=8,16", "seed=0,1", "--test", "none", "--json")
    runs = [f"hidden_size{hidden}-seed{seed}" for hidden in (8, 16) for seed in (0, 1)]
    driver = miniature.starting(command(*grid, "--address", two_nodes.address), cwd=place)
    killed, process = until(lambda: in_the_middle(folder, runs), driver)
    os.kill(process, signal.SIGKILL)
    code, out, err = finish(driver)
    assert code == 0, err
    assert {name: len(processes(folder, name)) for name in runs} == dict.fromkeys(runs, 1) | {killed: 2}
    found = json.loads(out)
    assert [run["state"] for run in found["runs"]] == ["finished"] * 4
    assert [setting["selection"]["n"] for setting in found["settings"]] == [2, 2]
    assert not [run for run in found["runs"] if run["tested"]], "nobody asked the test split"

    hidden, seed = re.findall(r"\d+", killed)
    overrides = (f"hidden_size={hidden}", f"seed={seed}", LONG, f"name=tiny-hidden_size{hidden}")
    alone = train(place / "tiny.yaml", overrides, out=place / "alone")
    assert learned(folder / killed) == learned(alone.folder)
    assert alone.recipe == Run(folder / killed).recipe

    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/**/*")}
    code, out, err = sweep(place, *grid, "--address", "127.0.0.1:1")  # nobody is there, and nobody is called
    assert (code, err) == (0, "")
    assert json.loads(out)["settings"] == found["settings"]
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*/**/*")} == before
    assert (folder / "report.html").is_file()
    assert (folder / "selection.html").is_file()


def test_a_machine_that_does_not_see_the_folder_is_named(two_nodes: Any, tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom radvqa.errors import RadvqaError\n"
        "from radvqa.sweeping.fan_out import cluster\n"
        "os.chdir(sys.argv[2])\n"
        "with cluster(sys.argv[1]) as found:\n"
        "    found.require_shared(Path(sys.argv[2]))\n"
        "    try:\n"
        "        found.require_shared(Path('/proc/self/cwd'))\n"  # for every process another folder
        "    except RadvqaError as error:\n"
        "        said = str(error)\n"
        "print(said)\n"
    )
    done = miniature.python(code, two_nodes.address, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "cannot see /proc/self/cwd; put --out on a path that all machines share." in done.stdout
    assert not list(tmp_path.iterdir()), "the check leaves nothing behind"


def test_a_lost_machine_and_a_failing_run_stop_no_other(two_nodes: Any, place: Path) -> None:
    """The last test of these nodes: one of them is killed."""
    folder, runs = place / "sweeps/tiny", ("seed0", "seed1")
    stray = folder / "seed2" / "notes.txt"
    driver = miniature.starting(command("seed=0,1,2", "--address", two_nodes.address), cwd=place)
    until((folder / "sweep.json").is_file, driver)
    stray.parent.mkdir()
    stray.write_text("in the way")
    (other,) = two_nodes.worker_nodes
    (raylet,) = other.all_processes["raylet"]

    def there() -> str | None:
        for name in runs:
            found = in_the_middle(folder, [name])
            if found and psutil.Process(found[1]).ppid() == raylet.process.pid:
                return name
        return None

    name = until(there, driver)
    two_nodes.remove_node(other, allow_graceful=False)
    code, out, err = finish(driver)
    assert code == 1
    assert len(processes(folder, name)) == 2
    assert "1 of 3 runs failed; the same command tries them again. seed2: sweeps/tiny/seed2 exists and is not" in err
    assert "Nothing is chosen, because 1 of 3 runs are missing" in out
    assert "Traceback" not in out + err
    states = {run["name"]: (run["state"], run["tested"]) for run in files.read_json(folder / "sweep.json")["runs"]}
    assert states == dict.fromkeys(runs, ("finished", False)) | {"seed2": ("failed", False)}


def test_a_killed_driver_goes_on_and_the_chosen_setting_alone_is_tested(place: Path) -> None:
    folder, grid, runs = place / "sweeps/tiny", "hidden_size=8,16", ["hidden_size8", "hidden_size16"]
    driver = miniature.starting(command(grid, "--at-once", "1"), cwd=place)
    until(lambda: is_finished(folder / runs[0]) and in_the_middle(folder, runs[1:]), driver)
    family = psutil.Process(driver.pid).children(recursive=True)
    listening = {c.laddr.ip for child in family for c in _connections(child) if c.status == "LISTEN"}
    assert listening
    assert listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    driver.send_signal(signal.SIGKILL)
    finish(driver)
    first = (folder / runs[0] / "checkpoints/best.safetensors").stat().st_mtime_ns

    code, out, err = sweep(place, grid, "--json")
    assert code == 0, err
    found = json.loads(out)
    (best,) = (setting for setting in found["settings"] if setting["chosen"])
    tested = [run["name"] for run in found["runs"] if run["tested"]]
    assert tested == best["runs"], "the test split was answered by the runs of the chosen setting alone"
    values = {s["name"]: Run(folder / s["runs"][0]).facts["selected"]["value"] for s in found["settings"]}
    assert values[best["name"]] == max(values.values())
    assert (folder / "test.html").is_file()
    assert (folder / runs[0] / "checkpoints/best.safetensors").stat().st_mtime_ns == first
    until(lambda: not any(is_alive(child) for child in family))


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _connections(process: psutil.Process) -> list[Any]:
    try:
        return list(process.net_connections())
    except psutil.Error:
        return []


MISTAKES: list[tuple[tuple[str, ...], str]] = [
    (("seed=0,1", "training.sede=1"), "unknown key 'training.sede'; did you mean 'seed'?"),
    (("seed=0,1", "frozn=true,false"), "unknown key 'frozn'; did you mean 'frozen'?"),
    (("hidden_size=8,none",), "hidden_size"),
    (("seed=0,1", "training.seed=2"), "training.seed is given twice"),
    (("lr=1e-3,0.001",), "lr1e-3 and lr0.001 would be the same run"),
    (("data.select=validate,train",), "data.select is the training split"),
    (("select_by=accuracy,token_f1",), "select_by cannot be an axis"),
    (("seed=1",), "No key has several values"),
    (("seed=0,1", "--test", "both"), "--test both: known: all, chosen, none."),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES, ids=[" ".join(a) for a, _ in MISTAKES])
def test_a_mistake_is_found_before_anything_starts(
    arguments: tuple[str, ...], said: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from radvqa.cli import main

    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "argv", ["radvqa", "sweep", "tiny.yaml", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    err = capsys.readouterr().err
    assert (ended.value.code, said in err, err.count("\n")) == (1, True, 1), err
    assert not (place / "sweeps").exists()


def test_another_sweep_in_the_folder_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from radvqa.commands import sweep as command
    from radvqa.errors import RadvqaError

    monkeypatch.chdir(place)

    def begin(*arguments: str) -> Any:
        plan, recipes = command._planned(Path("tiny.yaml"), arguments, None)
        plan.folder.mkdir(parents=True, exist_ok=True)
        command._begin(plan, recipes, Path("tiny.yaml"))
        return plan, recipes

    plan, recipes = begin("seed=0,1")
    Run.create(plan.folder / "seed0", recipes["seed0"].resolved(), {})
    begin("seed=0,1,2")  # more of the same
    with pytest.raises(RadvqaError, match=r"a sweep over training\.seed, this one is over model\.hidden_size"):
        begin("hidden_size=8,16")
    with pytest.raises(RadvqaError, match=r"seed0 was begun with another recipe \(training.batch_size differ\)"):
        begin("seed=0,1", "batch_size=4")
    (place / "mine").mkdir()
    (place / "mine" / "thesis.tex").touch()
    with pytest.raises(RadvqaError, match="mine exists and is not the folder of a sweep"):
        command.sweep(Path("tiny.yaml"), ["seed=0,1"], out=Path("mine"))
