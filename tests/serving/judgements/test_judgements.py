"""Judgements at a running service: kept through kills, counted once, taken along."""

import csv
import io
import json
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radvqa import cli
from radvqa.prediction_files import read
from radvqa.scoring.scorer import score
from radvqa.serving.judgements.records import Records
from records_server import Server, running


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service that nobody told anything."""
    folder = tmp_path_factory.mktemp("empty")
    with running(folder) as server:
        yield server
    assert not (folder / "judgements.sqlite").exists()


def said(server: Server, token: str, *, picture: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "token": token,
        "reader": "Ann",
        "verdict": "right",
        "model": "starter",
        "picture": server.pictures[picture],
        "question": "Which modality is it?",
        "answer": "CT",
        "confidence": 0.5,
        **more,
    }


def called(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["radvqa", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code if isinstance(ended.value.code, int) else 0


def test_what_a_killed_server_confirmed_is_there_when_it_runs_again(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        for number in range(5):
            server.post("/api/judgements", 201, **said(server, f"token-00{number}", question=f"Q{number}?"))
            if number == 4:
                server.process.kill()
    with running(tmp_path) as server:
        found = server.get("/api/judgements")
    assert [one["question"] for one in found["judgements"]] == [f"Q{n}?" for n in (4, 3, 2, 1, 0)]
    assert found["total"] == 5


def test_two_servers_on_one_file_lose_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as one, running(tmp_path) as other:

        def send(server: Server, who: str) -> None:
            for number in range(15):
                body = said(server, f"{who}-token-{number}", reader=who, question=f"Q{number}?")
                server.post("/api/judgements", 201, **body)

        threads = [
            threading.Thread(target=send, args=(server, f"{who} {place}"))
            for server, who in ((one, "Ann"), (other, "Bob"))
            for place in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert one.get("/api/judgements")["total"] == 60
        assert other.get("/api/judgements", reader="Bob 1")["total"] == 15
    assert len({judgement.token for judgement in Records(tmp_path / "judgements.sqlite").all()}) == 60


def test_the_same_send_counts_once_and_a_later_word_replaces(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        first = said(server, "token-one", verdict="wrong", better="MRI", comment="=HYPERLINK(1)")
        assert server.post("/api/judgements", 201, **first) == {"number": 1, "new": True}
        assert server.post("/api/judgements", 200, **first) == {"number": 1, "new": False}
        server.post("/api/judgements", 201, **said(server, "token-two", verdict="unsure"))
        found = server.get("/api/judgements")
        assert [(one["verdict"], one["replaced"]) for one in found["judgements"]] == [("unsure", False)]
        everything = server.get("/api/judgements", replaced=True)
        assert [(one["verdict"], one["replaced"]) for one in everything["judgements"]] == [
            ("unsure", False),
            ("wrong", True),
        ]
        summed = server.get("/api/judgements/summary")
        assert (summed["judgements"], summed["models"][0]["unsure"], summed["models"][0]["wrong"]) == (1, 1, 0)
        assert (summed["models"][0]["share"], summed["models"][0]["automatic"]) == (None, None)
        assert server.get("/api/judgements", search="hyperlink", replaced=True)["total"] == 1


def test_neither_the_picture_nor_its_name_is_kept(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.post("/api/judgements", 201, **said(server, "token-one"))
        server.post("/api/judgements", 201, **said(server, "token-two", picture=1))
        one, two = server.get("/api/judgements")["judgements"][::-1]
        assert len(one["picture"]) == 64
        assert one["picture"] != two["picture"]
        assert (one["data"], one["sample"], one["gold"], one["automatic"]) == ("", "", None, None)
        assert (two["data"], two["split"], two["sample"], two["gold"], two["automatic"]) == (
            *("slake:en", "test", "q7", "CT"),
            True,
        )
    content = b"".join(path.read_bytes() for path in tmp_path.glob("judgements.sqlite*"))
    assert b"CT" in content
    assert b"secret" not in content
    assert b"PNG" not in content


def test_exports_are_safe_in_spreadsheets_and_can_be_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path) as server:
        server.post("/api/judgements", 201, **said(server, "token-one", picture=1))
        evil = said(server, "token-two", verdict="wrong", better="=1+1", comment='@sum, "so"\n-1', answer="+3")
        server.post("/api/judgements", 201, **evil)
        server.post("/api/judgements", 201, **said(server, "token-six", picture=1, reader="Bob", verdict="wrong"))
        status, headers, content = server.ask("GET", "/api/judgements.csv")
        assert (status, "attachment" in headers["content-disposition"]) == (200, True)
        assert headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        assert {"id", "question", "gold", "prediction", "verdict"} <= set(rows[0])
        assert (rows[1]["better"], rows[1]["comment"], rows[1]["prediction"]) == ("'=1+1", '\'@sum, "so"\n-1', "'+3")
        lines = server.ask("GET", "/api/judgements.jsonl")[2].decode().splitlines()
        assert [json.loads(line)["better"] for line in lines] == ["", "=1+1", ""]
        assert [json.loads(line)["verdict"] for line in lines] == ["right", "wrong", "wrong"]
    file, export = tmp_path / "judgements.sqlite", tmp_path / "ann.csv"
    assert called(monkeypatch, "judgements", file, "--reader", "Ann", "--data", "slake:en", "--export", export) == 0
    told = capsys.readouterr().out
    assert "Answers as readers judge them" in told
    assert str(export) in told
    assert score(read(export).predictions)["subsets"]["overall"]["accuracy"] == 1
    assert called(monkeypatch, "judgements", file, "--export", tmp_path / "all.jsonl", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["agreement"] == [{"reviewers": ["Ann", "Bob"], "pairs": 1, "same": 0.0, "kappa": 0.0}]
    assert found["models"][0]["automatic"]["judgements"] == 2
    assert len((tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"picture": "gone"}, 404, "not kept"),
        ({"model": "another"}, 422, "starter"),
        ({"verdict": "maybe"}, 422, ""),
        ({"reader": " \n "}, 422, "name"),
        ({"token": "short"}, 422, ""),
        ({"confidence": 2}, 422, ""),
        ({"file": "x.png"}, 422, ""),
    ],
)
def test_what_cannot_be_kept_is_refused(empty: Server, change: dict[str, Any], status: int, told: str) -> None:
    found = empty.post("/api/judgements", status, **{**said(empty, "token-one"), **change})
    assert told in str(found["detail"])
    assert empty.get("/api/judgements")["total"] == 0


def test_a_file_of_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (one)")
    database.close()
    assert called(monkeypatch, "judgements", other) == 1
    assert "holds something else" in capsys.readouterr().err
    assert called(monkeypatch, "judgements", tmp_path / "absent.sqlite") == 1
    assert "does not exist" in capsys.readouterr().err
