"""Runs at a running service: listed, told of, watched while they train, compared."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from radvqa import files
from radvqa.run import Run
from radvqa.serving.runs.history import history
from radvqa.serving.runs.listed import Runs
from records_server import Server, running
from report_runs import make_run, recipe


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs, one of them in a folder of its own, one of another data set, and one that has only begun."""
    folder = tmp_path_factory.mktemp("served")
    make_run(folder / "runs" / "weak", skill=0.5, strange="<img src=x onerror=alert(1)>")
    make_run(folder / "runs" / "group" / "strong", name="clip_bert", seed=3, skill=0.9)
    make_run(folder / "runs" / "group" / "again", name="clip_bert", seed=4, skill=0.9)
    make_run(folder / "runs" / "rad", dataset="vqa_rad:official")
    begun = Run.create(folder / "runs" / "begun", recipe("cnn_lstm", epochs=5, seed=0), {"data": {}})
    begun.write_history([{"epoch": 1, "train_loss": 2.0, "val_loss": 1.5, "val_accuracy": 0.4, "best": True}])
    files.write_text(folder / "runs" / "torn" / "run.json", "{")
    files.write_text(folder / "secret.json", "{}")
    return folder


@pytest.fixture(scope="module")
def server(made: Path) -> Iterator[Server]:
    with running(made) as opened:
        yield opened


def test_all_runs_are_listed_with_their_scores(server: Server) -> None:
    runs = {run["name"]: run for run in server.get("/api/runs")["runs"]}
    assert list(runs) == ["begun", "group/again", "group/strong", "rad", "torn", "weak"]
    assert (runs["begun"]["state"], runs["begun"]["score"]) == ("training", None)
    assert runs["torn"]["state"] == "unreadable"
    assert "run.json" in runs["torn"]["problem"]
    strong = runs["group/strong"]
    assert (strong["state"], strong["family"], strong["data"]) == ("finished", "cnn_lstm", "slake:en")
    low, high = strong["score"]["interval"]
    assert low < strong["score"]["accuracy"] < high
    assert strong["score"]["questions"] == 80


def test_a_run_tells_everything_but_where_it_lies(server: Server, made: Path) -> None:
    found = server.get("/api/runs/group/strong")
    assert found["recipe"].startswith("name: clip_bert")
    assert [one["subset"] for one in found["scores"][0]["subsets"]] == ["overall", "open", "closed"]
    assert len(found["provenance"]["digest"]) == 64
    assert "…/Slake1.0" in found["provenance"]["text"]
    everything = [server.get("/api/runs"), found, server.get("/api/comparison", run=["weak", "group/strong"])]
    assert str(made) not in json.dumps(everything, ensure_ascii=False)
    assert str(made) not in server.refused("/api/comparison", run=["weak", "begun"])


@pytest.mark.parametrize(
    "name", ["absent", "../secret.json", "..%2Fsecret.json", "group", "group/../weak", "/etc", "torn"]
)
def test_only_listed_names_are_runs(server: Server, name: str) -> None:
    assert server.ask("GET", f"/api/runs/{name}/history")[0] in (404, 422)
    assert server.ask("GET", f"/api/comparison?run=weak&run={name}")[0] in (404, 422)
    assert server.ask("GET", f"/api/disagreements/picture?run={name}&image=img0.png")[0] in (404, 422)


def test_a_pair_is_compared_as_the_command_does(server: Server) -> None:
    found = server.get("/api/comparison", run=["weak", "group/strong"])
    (pair,) = found["comparison"]["paired"]
    assert (pair["name"], pair["against"]) == ("strong", "weak")
    assert found["difference"]["difference"] == pair["difference"] > 0
    assert found["sentence"].startswith("strong is better than weak: +")
    assert [table["title"] for table in found["tables"]][1] == "Paired difference in accuracy"
    assert found["note"] == ""


def test_runs_that_differ_in_the_seed_alone_are_compared_with_a_warning(server: Server) -> None:
    found = server.get("/api/comparison", run=["group/strong", "group/again"])
    assert "the seed alone" in found["note"]
    assert found["difference"]["name"] == "again"


def test_runs_without_a_common_test_are_not_compared(server: Server) -> None:
    assert "not both scored" in server.refused("/api/comparison", run=["weak", "rad"])
    assert "itself" in server.refused("/api/comparison", run=["weak", "weak"])
    server.refused("/api/comparison", run=["weak"])


def test_questions_are_found_by_who_is_right(server: Server) -> None:
    runs = {"run": ["weak", "group/strong"]}
    found = server.get("/api/disagreements", **runs, limit=200)
    assert sum(found["counts"].values()) == found["total"] == len(found["questions"]) == 80
    for outcome, many in found["counts"].items():
        part = server.get("/api/disagreements", **runs, outcome=outcome, limit=200)["questions"]
        assert len(part) == many
        rights = {tuple(answer["right"] for answer in one["answers"]) for one in part}
        expected = {"both_right": (1, 1), "only_first": (1, 0), "only_second": (0, 1), "both_wrong": (0, 0)}[outcome]
        assert rights <= {tuple(map(bool, expected))}
    closed = server.get("/api/disagreements", **runs, answer_type="CLOSED", limit=200)
    assert {one["answer_type"] for one in closed["questions"]} == {"CLOSED"}
    assert sum(closed["counts"].values()) == 32
    pages = [server.get("/api/disagreements", **runs, offset=offset, limit=30)["questions"] for offset in (0, 30, 60)]
    assert [one["id"] for page in pages for one in page] == [one["id"] for one in found["questions"]]
    assert server.get("/api/disagreements", **runs, search="ONERROR")["total"] == 1
    status, headers, content = server.ask("GET", "/" + found["questions"][0]["picture"])
    assert (status, headers["content-type"], content[8:12]) == (200, "image/webp", b"WEBP")


def test_a_half_written_look_is_not_told(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", recipe("cnn_lstm", epochs=5, seed=0), {"data": {}})
    assert history(run)["points"] == []
    path = run.folder / "history.jsonl"
    look = {"step": 10, "stage": "look", "train_loss": 2.0, "val_loss": float("nan"), "val_accuracy": 0.5, "best": True}
    path.write_text(json.dumps(look) + "\n" + json.dumps({**look, "step": 20})[:-9], encoding="utf-8")
    told = history(run)
    assert [point["x"] for point in told["points"]] == [10]
    assert told["points"][0]["val_loss"] is None
    assert (told["x"], told["stages"], told["state"]) == ("step", [], "training")
    path.write_text("\n".join(json.dumps({**look, "step": n}) for n in (10, 20)) + "\n", encoding="utf-8")
    log = run.folder / "log" / "steps.jsonl"
    log.parent.mkdir()
    rows = [{"step": n, "stage": "look" if n <= 500 else "write", "loss": 1 / n} for n in range(1, 1001)]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"step": 1001, "lo', encoding="utf-8")
    told = history(run)
    assert [point["x"] for point in told["points"]] == [10, 20]
    assert (len(told["steps"]), told["steps"][-1]["x"]) == (400, 1000)
    assert told["stages"] == [
        {"name": "look", "begins": 0, "ends": 500},
        {"name": "write", "begins": 500, "ends": 1000},
    ]


def test_the_list_sees_what_changed_and_nothing_below_a_run(tmp_path: Path) -> None:
    assert Runs(tmp_path / "absent").told() == []
    first = make_run(tmp_path / "one", scored=False)
    shutil.copytree(first.folder, first.folder / "inner")
    (tmp_path / "link").symlink_to(first.folder)
    assert list(Runs(tmp_path).names()) == ["one"]
    assert Runs(tmp_path).told()[0]["score"] is None
