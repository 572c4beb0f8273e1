"""The review server as a process: what it answers, what it refuses, and that a kill loses nothing."""

import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_reviews import pairs
from review_server import running

from radvqa import files
from radvqa.curating.pair_table import write_pairs
from radvqa.data.image import decode, encode_png
from radvqa.reviewing.queue import ReviewQueue


@pytest.fixture
def table(tmp_path: Path) -> Path:
    picture = tmp_path / "secret" / "a.png"
    files.write_bytes(picture, encode_png(np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)))
    made = pairs(5)
    made[0] = replace(made[0], image_path=str(picture), flags=("commands",), answer="<b>bold</b> & so")
    made[1] = replace(made[1], image_path=str(tmp_path / "absent.png"))
    write_pairs(tmp_path / "pairs.jsonl", [*made, replace(pairs(7)[6], dropped="echo")])
    return tmp_path / "pairs.jsonl"


def test_a_review_from_the_first_pair_to_the_last(table: Path) -> None:
    with running(table, "--overlap", "0") as server:
        status, headers, page = server.ask("GET", "/")
        assert (status, b"<title>radvqa" in page) == (200, True)
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert set(server.post("/api/tags")["reasons"]) >= {"wrong", "unseen"}
        found = server.post("/api/next", reviewer="Ann", count=3)
        assert [pair["id"] for pair in found["pairs"]] == ["p0", "p1", "p2"]
        assert found["progress"]["pairs"] == 5  # what rules took out is not asked about
        assert (found["pairs"][0]["answer"], found["pairs"][0]["flags"]) == ("<b>bold</b> & so", ["commands"])
        said = {"pair": "p0", "reviewer": "Ann", "verdict": "pass", "token": "token-0001"}
        assert server.post("/api/decide", **said) == {"new": True}
        assert server.post("/api/decide", **said) == {"new": False}
        assert server.post("/api/undo", reviewer="Ann")["pair"]["id"] == "p0"
        assert server.post("/api/undo", reviewer="Ann")["pair"] is None
        status, headers, content = server.ask("GET", f"/{found['pairs'][0]['picture']}")
        assert (status, headers["content-type"]) == (200, "image/png")
        assert decode(content).shape == (64, 64)
        assert server.ask("GET", "/api/picture?pair=p1")[0] == 404
        assert server.ask("GET", "/api/picture?pair=p2")[0] == 404
        assert server.ask("GET", "/api/picture?pair=../../etc/passwd")[0] == 404


def test_a_killed_server_loses_no_decision(table: Path) -> None:
    with running(table, "--overlap", "0") as server:
        for number in range(3):
            server.post("/api/decide", pair=f"p{number}", reviewer="Ann", verdict="discard", token=f"token-{number:04}")
            if number == 2:
                server.process.kill()
    queue = ReviewQueue(table.with_suffix(".review.sqlite"))
    assert [made.pair for made in queue.decisions()] == ["p0", "p1", "p2"]
    with running(table, "--overlap", "0") as server:
        assert [pair["id"] for pair in server.post("/api/next", reviewer="Ann", count=9)["pairs"]] == ["p3", "p4"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 422),
        (b"[]", {}, 422),
        ({"reviewer": "Ann", "count": 10_000}, {}, 422),
        ({"reviewer": "Ann", "colour": "red"}, {}, 422),
        ({"reviewer": "x" * 100}, {}, 422),
        ({"reviewer": "Ann"}, {"Content_Type": "text/plain"}, 415),
        ({"reviewer": "Ann"}, {"Host": "evil.example"}, 421),
        (b"x" * 300_000, {}, 413),
    ],
)
def test_what_a_page_of_ours_would_not_send_is_refused(
    table: Path, body: Any, headers: dict[str, str], status: int
) -> None:
    with running(table) as server:
        assert server.ask("POST", "/api/next", body, **headers)[0] == status
        assert server.post("/api/next", reviewer="Ann", count=1)["pairs"]


def test_other_files_are_not_served(table: Path) -> None:
    with running(table) as server:
        for path in ("/page/../server.py", "/page/..%2fserver.py", "/docs", "/openapi.json", "/page/", "/secret/a.png"):
            assert server.ask("GET", path)[0] == 404


def test_beyond_the_loopback_a_secret_is_needed(table: Path) -> None:
    command = [sys.executable, "-m", "radvqa", "curate", "review", str(table), "--port", "0"]
    for more in (["--host", "0.0.0.0"], ["--host", "0.0.0.0", "--token", "short"]):
        refused = subprocess.run([*command, *more], capture_output=True, text=True, timeout=60)
        assert refused.returncode == 1
        assert "set a secret of at least 16 letters" in refused.stderr
    secret = "a-long-secret-of-ours"
    with running(table, "--token", secret) as server:
        assert server.ask("GET", "/")[0] == 401
        assert server.ask("POST", "/api/next", {"reviewer": "Ann"})[0] == 401
        assert server.ask("GET", "/?token=a-long-secret-of-theirs")[0] == 401
        status, headers, _ = server.ask("GET", f"/?token={secret}")
        assert (status, "HttpOnly" in headers["set-cookie"], "SameSite=strict" in headers["set-cookie"]) == (
            200,
            True,
            True,
        )
        cookie = headers["set-cookie"].split(";")[0]
        assert server.ask("POST", "/api/next", {"reviewer": "Ann"}, Cookie=cookie)[0] == 200


def test_a_port_that_is_taken(table: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "radvqa", "curate", "review", str(table), "--port", port]
        refused = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1
    assert f"Cannot listen at 127.0.0.1, port {port}" in refused.stderr
    assert "Traceback" not in refused.stderr
