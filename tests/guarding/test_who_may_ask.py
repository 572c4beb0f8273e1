"""The guard before a real service: names, tokens, cookies, pages of other sites, lengths, and how often."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picture_server import Server, serving
from radvqa.guarding.asgi import Request
from radvqa.guarding.keys import SECONDS, Keys
from radvqa.guarding.manners import refusal
from radvqa.guarding.pace import Pace
from radvqa.guarding.rules import Rules

SECRET = "a-long-secret-of-ours"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("open")) as running:
        yield running
        assert running.log == ""


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, token=SECRET) as running:
        yield running
        assert SECRET not in running.log


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "", "[::2]"])
def test_other_names_are_not_answered(server: Server, host: str) -> None:
    for path in ("/", "/api/models", "/page/js/app.js"):
        assert server.ask("GET", path, Host=host)[0] == 421
    assert server.ask("GET", "/", Host=f"LOCALHOST:{server.port}")[0] == 200


def test_pages_of_other_sites_cannot_write(server: Server) -> None:
    own = f"http://127.0.0.1:{server.port}"
    question = {"picture": "x", "question": "What is shown?", "models": []}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{server.port + 1}"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate"},
    ):
        assert server.ask("POST", "/api/answers", question, **headers)[0] == 403
        assert server.ask("DELETE", "/api/pictures/x", **headers)[0] == 403
    assert server.ask("POST", "/api/answers", question, Origin=own, Sec_Fetch_Site="same-origin")[0] == 404
    assert server.ask("GET", "/api/models", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors")[0] == 403
    assert server.ask("GET", "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200


def test_no_other_origin_is_ever_let_in(server: Server) -> None:
    for method in ("GET", "OPTIONS"):
        headers = server.ask(
            method, "/api/models", Origin="https://evil.example", Access_Control_Request_Method="POST"
        )[1]
        assert not [name for name in headers if name.startswith("access-control")]


def test_every_answer_tells_browsers_what_it_may_do(server: Server) -> None:
    for path in ("/", "/api/models", "/page/js/app.js", "/nothing", "/api/pictures/none"):
        headers = server.ask("GET", path)[1]
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert "server" not in headers


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/api/answers", {"a": 1}, {"Content_Type": "text/plain"}, 415),
        ("POST", "/api/answers", {"a": 1}, {"Content_Type": FORM}, 415),
        ("POST", "/api/answers", {"a": "x" * 1_100_000}, {}, 413),
        ("POST", "/api/answers", {"a": 1}, {}, 422),
        ("GET", "/api/models?a=" + "x" * 5_000, None, {}, 414),
        ("GET", "/" + "x" * 3_000, None, {}, 414),
        ("GET", "/api/models", None, {"X_Long": "x" * 16_000}, 431),
        ("POST", "/login", b"token=x", {"Content_Type": FORM}, 303),  # nothing to sign in to
    ],
)
def test_lengths_and_kinds(
    server: Server, method: str, path: str, body: object, headers: dict[str, str], status: int
) -> None:
    assert server.ask(method, path, body, **headers)[0] == status


def test_the_length_of_a_body_is_counted_whatever_it_says(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.sendall(
            b"POST /api/answers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(20):
            line.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 413 ")


def test_without_the_token_nothing_is_told(locked: Server) -> None:
    for method, path in (("GET", "/api/models"), ("GET", "/page/js/app.js"), ("DELETE", "/api/pictures/x")):
        status, headers, _ = locked.ask(method, path)
        assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert locked.ask("GET", f"/api/models?token={SECRET}")[0] == 401  # addresses end up in histories
    assert locked.ask("POST", "/api/pictures", b"x")[0] == 401
    assert locked.ask("GET", "/")[:2][0] == 303
    assert locked.ask("GET", "/api/models", Authorization=f"Bearer {SECRET}")[0] == 200
    assert locked.ask("GET", "/api/models", Authorization=f"Basic {SECRET}")[0] == 401


def test_signing_in(locked: Server) -> None:
    status, headers, page = locked.ask("GET", "/login")
    assert (status, b"<script" in page, b'type="password"' in page) == (200, False, True)
    assert locked.ask("GET", "/login.css")[1]["content-type"].startswith("text/css")
    body = f"token={quote(SECRET)}".encode()
    assert locked.ask("POST", "/login", body, Content_Type=FORM, Origin="https://evil.example")[0] == 403
    assert locked.ask("POST", "/login", body * 500, Content_Type=FORM)[0] == 413
    status, headers, _ = locked.ask("POST", "/login", body, Content_Type=FORM)
    cookie = headers["set-cookie"]
    assert (status, headers["location"]) == (303, "./")
    assert re.fullmatch(r"radvqa=\d+\.[0-9a-f]{64}; Path=/; Max-Age=\d+; HttpOnly; SameSite=strict", cookie)
    assert SECRET not in cookie
    shown = cookie.split(";")[0]
    assert locked.ask("GET", "/api/models", Cookie=f"other=1; {shown}")[0] == 200
    until, seal = shown.removeprefix("radvqa=").split(".")
    for forged in (f"{int(until) + 1}.{seal}", f"{until}.{'0' * 64}", SECRET, until, "", f"{until}.{seal}x"):
        assert locked.ask("GET", "/api/models", Cookie=f"radvqa={forged}")[0] == 401


def test_trying_out_tokens_is_slow_and_ends(locked: Server) -> None:
    signed_in = locked.ask("POST", "/login", f"token={SECRET}".encode(), Content_Type=FORM)[1]["set-cookie"]
    found = [locked.ask("POST", "/login", f"token=wrong{n}".encode(), Content_Type=FORM)[0] for n in range(11)]
    assert found == [401] * 10 + [429]
    status, headers, _ = locked.ask("GET", "/api/models", Authorization="Bearer wrong")
    assert (status, int(headers["retry-after"]) > 0) == (429, True)
    assert locked.ask("GET", "/api/models", Cookie=signed_in.split(";")[0])[0] == 200  # who is in stays in


def test_requests_of_one_address_are_counted(tmp_path: Path) -> None:
    with serving(tmp_path, limits={"per_minute": 5}) as server:
        found = [server.ask("GET", "/api/models") for _ in range(6)]
        assert [status for status, _, _ in found] == [200] * 5 + [429]
        assert int(found[-1][1]["retry-after"]) >= 1
        assert "ask again" in json.loads(found[-1][2])["detail"]
        assert server.ask("GET", "/page/js/app.js")[0] == 200


def test_a_pace_comes_back_with_time() -> None:
    now = [0.0]
    pace = Pace(3, 60, lambda: now[0])
    for _ in range(3):
        assert pace.wait("a") == 0
        pace.count("a")
    assert (pace.wait("a"), pace.wait("b")) == (20, 0)
    now[0] = 20.0
    assert pace.wait("a") == 0
    for number in range(20_000):
        pace.count(str(number))
    assert len(pace._left) <= 10_000


def test_a_cookie_runs_out() -> None:
    now = [1_000.0]
    keys = Keys(SECRET, lambda: now[0])
    cookie = keys.cookie()
    assert keys.holds(cookie)
    now[0] += SECONDS
    assert not keys.holds(cookie)
    assert not Keys(SECRET, lambda: 1_000.0).holds(cookie)  # of another process


@given(st.text(max_size=50), st.text(max_size=50))
def test_no_cookie_and_no_token_breaks_the_keys(cookie: str, token: str) -> None:
    keys = Keys(SECRET)
    assert not keys.holds(cookie)
    assert keys.fits(token) == (token == SECRET)


@given(st.lists(st.tuples(st.sampled_from(["host", "origin", "content-length", "cookie", "content-type"]), st.text())))
def test_headers_of_any_kind_are_refused_or_let_through(headers: list[tuple[str, str]]) -> None:
    request = Request("POST", "/api/x", "", tuple(headers), "1.2.3.4", "http", 100)
    answer = refusal(request, Rules())
    assert answer is None or 400 <= answer.status < 500
    request.cookie("radvqa")


def test_names_and_questions_are_not_logged(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.ask("POST", "/api/pictures", b"GIF89a broken", X_Name="Lovelace_Augusta.png")
        server.ask("POST", "/api/answers", {"picture": "x", "question": "Does Augusta cough?"})
        server.ask("GET", "/api/samples?data=Augusta")
        server.ask("POST", "/api/samples", {"data": "Augusta", "split": "x", "id": "y"})
        assert "Augusta" not in server.log
