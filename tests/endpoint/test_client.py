"""The client against a real server on loopback that misbehaves as told."""

import asyncio
import http.client
import logging
import random
import threading
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from chat_server import ChatServer, Says, completion, serving
from miniature import starting
from radvqa.endpoint import client, retry
from radvqa.endpoint.cache import ReplyCache
from radvqa.endpoint.client import ChatEndpoint
from radvqa.endpoint.error import EndpointError
from radvqa.endpoint.exchange import ChatRequest, Message, Reply, user_message
from radvqa.endpoint.problem import Problem

SCHEMA = {"type": "object"}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.001)
    monkeypatch.delenv("RADVQA_API_KEY", raising=False)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float | None]]:
    """The pauses that were chosen; none is waited for."""
    chosen: list[tuple[int, float | None]] = []

    def noted(attempt: int, wish: float | None) -> float:
        chosen.append((attempt, wish))
        return 0.0

    monkeypatch.setattr(client, "wait_before", noted)
    return chosen


def asked(*texts: str, schema: dict[str, Any] | None = None) -> list[ChatRequest]:
    return [ChatRequest([user_message(text)], schema) for text in texts]


def echo(body: dict[str, Any], _number: int) -> str:
    return f"heard {body['messages'][0]['content']}"


def test_replies_come_in_the_order_of_the_requests() -> None:
    first = threading.Event()

    def script(body: dict[str, Any], number: int) -> Says:
        text = body["messages"][0]["content"]
        if text == "2":  # sent once 1 was answered
            first.set()
        return Says(f"heard {text}", after=(lambda: first.wait(20)) if text == "0" else None)

    with serving(script) as server:
        seen: list[tuple[int, str]] = []
        endpoint = ChatEndpoint(server.url, "m", concurrency=2)
        result = endpoint.ask_many(asked(*"0123456789"), None, lambda place, reply: seen.append((place, reply.text)))
    assert [reply.text for reply in result.replies] == [f"heard {n}" for n in range(10)]
    assert seen[0] == (1, "heard 1")
    assert sorted(seen) == [(n, f"heard {n}") for n in range(10)]
    assert (result.requests, result.cached, result.prompt_tokens, result.completion_tokens) == (10, 0, 110, 30)


def test_the_request_is_what_the_chat_api_wants() -> None:
    with serving("fine") as server:
        parts: Message = {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ],
        }
        endpoint = ChatEndpoint(f" {server.url}/ ", "org/model", max_tokens=7, seed=3)
        endpoint.ask_many([ChatRequest([{"role": "system", "content": "Be brief. ☤"}, parts])])
        ChatEndpoint(f"{server.url}/chat/completions", "m", temperature=None, max_tokens=None, seed=None).ask_many(
            asked("q")
        )
    first, second = server.bodies
    assert first == {
        "model": "org/model",
        "messages": [{"role": "system", "content": "Be brief. ☤"}, parts],
        "temperature": 0.0,
        "max_tokens": 7,
        "seed": 3,
        "stream": False,
    }
    assert second == {"model": "m", "messages": [{"role": "user", "content": "q"}], "stream": False}
    assert server.paths == ["/v1/chat/completions"] * 2
    assert not any("Authorization" in headers for headers in server.headers)


def test_equal_requests_are_sent_once_and_cached_ones_never(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "new folder" / "replies.sqlite")
    with serving(echo) as server:
        endpoint = ChatEndpoint(server.url, "m")
        first = endpoint.ask_many(asked("a", "b", "a", "a"), cache)
        second = ChatEndpoint(server.url, "m").ask_many(asked("b", "c", "a"), cache)
        assert len(server.bodies) == 3
    assert [reply.text for reply in first.replies] == ["heard a", "heard b", "heard a", "heard a"]
    assert (first.requests, first.cached, first.prompt_tokens) == (2, 0, 22)
    assert [reply.text for reply in second.replies] == ["heard b", "heard c", "heard a"]
    assert (second.requests, second.cached, second.completion_tokens) == (1, 2, 9)
    with serving("never asked") as server:  # another server, the same question
        assert ChatEndpoint(server.url, "m").ask_many(asked("c"), cache).replies[0].text == "heard c"
        assert server.bodies == []


def test_all_that_decides_a_reply_is_in_its_key() -> None:
    (one,) = asked("a")
    base = ChatEndpoint("http://127.0.0.1:1/v1", "m", seed=1)
    others = [
        ChatEndpoint("http://127.0.0.1:1/v1", "n", seed=1).key(one),
        ChatEndpoint("http://127.0.0.1:1/v1", "m", seed=2).key(one),
        ChatEndpoint("http://127.0.0.1:1/v1", "m", seed=1, temperature=0.5).key(one),
        ChatEndpoint("http://127.0.0.1:1/v1", "m", seed=1, max_tokens=9).key(one),
        base.key(asked("b")[0]),
        base.key(asked("a", schema=SCHEMA)[0]),
        base.key(ChatRequest([{"role": "system", "content": "a"}])),
    ]
    assert len({base.key(one), *others}) == 8
    assert ChatEndpoint("https://example.org", "m", seed=1, timeout=3, concurrency=1).key(one) == base.key(one)


def test_no_more_requests_at_once_than_allowed() -> None:
    together = threading.Barrier(3, timeout=20)  # broken unless three come at once
    with serving(lambda _body, _number: Says("x", after=together.wait)) as server:
        ChatEndpoint(server.url, "m", concurrency=3).ask_many(asked(*map(str, range(12))))
    assert server.most_at_once == 3
    with serving("x") as server:
        ChatEndpoint(server.url, "m", concurrency=1).ask_many(asked("1", "2", "3", "4"))
    assert server.most_at_once == 1


@pytest.mark.parametrize(
    "trouble",
    [
        Says(status=500, body="oops"),
        Says(status=503, body='{"error": {"message": "loading"}}'),
        Says(status=429, body="{}"),
        Says(body="<html>a proxy's page</html>"),
        Says(body='{"choices": []}'),
        Says(body='{"error": {"message": "overloaded"}}'),
        Says(body='[1, "x"]'),
        Says("cut off in the middle", cut=30),
        Says("nothing at all", cut=0),
    ],
)
def test_what_may_pass_is_asked_again(trouble: Says, waits: list[tuple[int, float | None]]) -> None:
    with serving(lambda _body, number: trouble if number < 3 else "at last") as server:
        result = ChatEndpoint(server.url, "m", retries=2).ask_many(asked("q"))
    assert result.replies == [Reply("at last", "stop", 11, 3)]
    assert result.requests == 3
    assert waits == [(1, None), (2, None)]


def test_a_server_that_does_not_answer_is_asked_again_and_then_given_up() -> None:
    with serving(lambda _body, number: Says(silent=True) if number == 1 else "late") as server:
        assert ChatEndpoint(server.url, "m", timeout=0.3).ask_many(asked("q")).replies[0].text == "late"
    with serving(lambda _body, _number: Says(silent=True)) as server:
        with pytest.raises(EndpointError, match=r"completions did not answer within 0\.2 s, 2 times in a row;"):
            ChatEndpoint(server.url, "m", timeout=0.2, retries=1).ask_many(asked("q"))
        assert len(server.bodies) == 2


def test_retry_after_is_honoured(waits: list[tuple[int, float | None]]) -> None:
    headers = [
        {"Retry-After": "7"},
        {"Retry-After": formatdate(time.time() + 60, usegmt=True)},
        {"Retry-After": "soon"},
    ]
    with serving(lambda _b, n: Says(status=429, headers=headers[n - 1]) if n < 4 else "now") as server:
        ChatEndpoint(server.url, "m").ask_many(asked("q"))
    (_, seconds), (_, date), (_, nonsense) = waits
    assert (seconds, nonsense) == (7, None)
    assert date is not None
    assert 30 < date <= 60


def test_a_longer_rest_than_reasonable_ends_the_work() -> None:
    with (
        serving(lambda _b, _n: Says(status=429, body="daily limit", headers={"Retry-After": "3600"})) as server,
        pytest.raises(EndpointError, match=r"to do \(HTTP 429: daily limit\), and wants 3600 s of rest; lower"),
    ):
        ChatEndpoint(server.url, "m").ask_many(asked("q"))
    assert len(server.bodies) == 1


def test_waits_double_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.5)
    random.seed(0)
    for attempt, whole in [(1, 0.5), (2, 1), (3, 2), (7, 30), (5000, 30)]:
        waits = [retry.wait_before(attempt, None) for _ in range(200)]
        assert whole / 2 <= min(waits) < 0.6 * whole
        assert 0.9 * whole < max(waits) <= whole
    assert retry.wait_before(1, 45) == 45


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3),
        ("0.5", 0.5),
        ("-4", 0),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("Monday", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after_in_its_forms(header: str | None, seconds: float | None) -> None:
    assert retry.seconds_of(header) == seconds


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        (Says(status=401, body='{"error": {"message": "bad key"}}'), r"key \(HTTP 401: bad key\); set RADVQA_API_KEY"),
        (Says(status=404, body='{"detail": "Not Found"}'), r"path or model \(HTTP 404: Not Found\);.* ends in /v1\."),
        (Says(status=400, body='{"message": "no such model"}'), r"refuses the request \(HTTP 400: no such model\);"),
        (Says(status=302, headers={"Location": "https://login"}), r"sends on to https://login \(HTTP 302\); give"),
        (Says(status=418, body=""), r"fails \(HTTP 418: I'm a Teapot\); look"),
    ],
)
def test_what_will_not_pass_is_told_at_once(says: Says, sentence: str) -> None:
    with serving(lambda _b, _n: says) as server, pytest.raises(EndpointError, match=sentence) as told:
        ChatEndpoint(server.url, "m").ask_many(asked("q"))
    assert len(server.bodies) == 1
    assert str(told.value).startswith(f"{server.url}/chat/completions ")
    assert "\n" not in str(told.value)


def test_nobody_there() -> None:
    with serving("x") as server:
        url = server.url
    with pytest.raises(EndpointError, match=r"cannot be reached \(.+\), 3 times in a row; start the server"):
        ChatEndpoint(url, "m", retries=2).ask_many(asked("q"))


@pytest.mark.parametrize("known", [0, 1, 2])
def test_a_server_that_knows_fewer_ways_to_write_json_is_asked_in_those(known: int) -> None:
    kinds = [None, "json_object", "json_schema"][: known + 1]

    def script(body: dict[str, Any], _number: int) -> Says | str:
        kind = body.get("response_format", {}).get("type")
        return "{}" if kind in kinds else Says(status=422 if known else 400, body="response_format?")

    with serving(script) as server:
        endpoint = ChatEndpoint(server.url, "m", concurrency=1)
        replies = endpoint.ask_many(asked("a", "b", "c", schema=SCHEMA)).replies
        assert [reply.text for reply in replies] == ["{}"] * 3
        assert len(server.bodies) == 3 + 2 - known  # what it does not know is tried once
        strict = server.bodies[0]["response_format"]
        assert strict == {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": SCHEMA}}
        before = len(server.bodies)
        endpoint.ask_many(asked("free text"))
        assert "response_format" not in server.bodies[before]


def test_one_refused_request_does_not_end_the_others(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "replies.sqlite")

    def filtered(body: dict[str, Any], _number: int) -> Says | str:
        return Says(status=400, body="content filter") if body["messages"][0]["content"] == "bad" else "good"

    with serving(filtered) as server:
        endpoint = ChatEndpoint(server.url, "m", concurrency=1)
        result = endpoint.ask_many(asked("bad", "fine", "also fine"), cache)
        assert [reply.text for reply in result.replies] == ["", "good", "good"]
        assert result.replies[0].refused == "refuses the request (HTTP 400: content filter)"
        again = ChatEndpoint(server.url, "m").ask_many(asked("bad", "fine", "also fine"), cache)
        assert (again.requests, again.cached) == (1, 2)
        assert again.replies == result.replies


def test_a_server_that_refuses_everything_is_not_asked_everything() -> None:
    with serving(lambda _b, _n: Says(status=400, body="unknown model 'm'")) as server:
        with pytest.raises(EndpointError, match=r"refuses the request \(HTTP 400: unknown model 'm'\)"):
            ChatEndpoint(server.url, "m", concurrency=1).ask_many(asked(*map(str, range(50))))
        assert len(server.bodies) == 10


def test_a_server_that_dies_half_way_loses_nothing_that_it_said(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "replies.sqlite")
    everything = asked(*map(str, range(20)))
    with serving(lambda body, n: echo(body, n) if n <= 7 else Says(cut=0)) as dying:
        with pytest.raises(EndpointError) as told:
            ChatEndpoint(dying.url, "m", concurrency=2, retries=1).ask_many(everything, cache)
        answered = dying.prompts()[:7]
    assert "broke off" in str(told.value)
    assert f"7 of 20 replies came before and are kept in {cache.path}" in str(told.value)
    assert str(told.value).endswith("then run the same again to go on from there.")
    with serving(echo) as server:
        result = ChatEndpoint(server.url, "m").ask_many(everything, cache)
    assert sorted(server.prompts()) == sorted({str(n) for n in range(20)} - set(answered))
    assert (result.requests, result.cached) == (13, 7)
    assert [reply.text for reply in result.replies] == [f"heard {n}" for n in range(20)]


def test_requests_under_way_are_kept_when_another_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ReplyCache(tmp_path / "replies.sqlite")
    failed = threading.Event()
    stop = client._Call._stop

    def noted(call: client._Call, problem: Problem, failures: int) -> None:
        stop(call, problem, failures)
        failed.set()

    monkeypatch.setattr(client._Call, "_stop", noted)

    def script(body: dict[str, Any], _number: int) -> Says:
        if body["messages"][0]["content"] == "bad":
            return Says(status=401)
        return Says("slow but good", after=lambda: failed.wait(20))

    with serving(script) as server:
        endpoint = ChatEndpoint(server.url, "m", concurrency=2)
        with pytest.raises(EndpointError, match="1 of 3 replies came before"):
            endpoint.ask_many(asked("slow", "bad", "never sent"), cache)
        assert "never sent" not in server.prompts()
        assert set(cache.find([endpoint.key(asked("slow")[0])]).values()) == {Reply("slow but good", "stop", 11, 3)}


def test_nobody_goes_on_waiting_when_all_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = threading.Event()

    def wait(_attempt: int, _wish: float | None) -> float:
        waiting.set()
        return 2.0

    def script(body: dict[str, Any], _number: int) -> Says:
        if body["messages"][0]["content"] == "busy":
            return Says(status=503)
        return Says(status=401, after=lambda: waiting.wait(20))

    monkeypatch.setattr(client, "wait_before", wait)
    with serving(script) as server:
        with pytest.raises(EndpointError, match="HTTP 401"):
            ChatEndpoint(server.url, "m", concurrency=2).ask_many(asked("busy", "bad"))
        assert sorted(server.prompts()) == ["bad", "busy"]


ASK_FOREVER = """
import sys
from pathlib import Path
from radvqa.endpoint.cache import ReplyCache
from radvqa.endpoint.client import ChatEndpoint
from radvqa.endpoint.exchange import ChatRequest, user_message
requests = [ChatRequest([user_message(str(n))]) for n in range(40)]
ChatEndpoint(sys.argv[1], "m", concurrency=4).ask_many(requests, ReplyCache(Path(sys.argv[2])))
"""


@pytest.mark.parametrize("moment", [1, 9, 23])
def test_a_client_killed_at_any_moment_asks_little_twice(tmp_path: Path, moment: int) -> None:
    path = tmp_path / "replies.sqlite"
    reached, released = threading.Event(), threading.Event()

    def script(body: dict[str, Any], number: int) -> Says:
        if number == moment + 4:
            reached.set()
        hold = number > moment
        return Says(echo(body, number), after=(lambda: released.wait(60)) if hold else None)

    with serving(script) as server:
        process = starting(["-c", ASK_FOREVER, server.url, path])
        assert reached.wait(60)  # all workers but none wait for replies that do not come
        process.kill()
        process.communicate()
        released.set()
        first = server.prompts()
        result = ChatEndpoint(server.url, "m").ask_many(asked(*map(str, range(40))), ReplyCache(path))
        twice = len(server.prompts()) - 40
    assert len(first) == moment + 4
    assert twice == 4  # those under way
    assert result.cached == moment
    assert [reply.text for reply in result.replies] == [f"heard {n}" for n in range(40)]


def test_the_key_goes_to_the_server_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "sk-very-secret-123"
    monkeypatch.setenv("RADVQA_API_KEY", f" {secret}\n")
    cache = ReplyCache(tmp_path / "replies.sqlite")

    def script(_body: dict[str, Any], number: int) -> Says | str:
        texts = {2: f"content filter, key {secret}", 3: f"Incorrect API key provided: {secret}"}
        return Says(status=number - 2 + 400, body=texts[number]) if number > 1 else "fine"

    with caplog.at_level(logging.DEBUG), serving(script) as server:
        endpoint = ChatEndpoint(server.url, "m", concurrency=1)
        replies = endpoint.ask_many(asked("a", "b"), cache).replies
        with pytest.raises(EndpointError, match=r"Incorrect API key provided: \[key\]") as told:
            endpoint.ask_many(asked("c"), cache)
        assert [headers["Authorization"] for headers in server.headers] == [f"Bearer {secret}"] * 3
    shown = [str(told.value), repr(endpoint), str(replies), caplog.text, str(endpoint.sampling)]
    assert not any(secret in text for text in shown)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not any(secret.encode() in content for content in written)
    assert ChatEndpoint(server.url, "m", api_key="other").key(asked("a")[0]) == endpoint.key(asked("a")[0])


def test_a_key_given_by_hand_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADVQA_API_KEY", "from-environment")
    with serving("x") as server:
        ChatEndpoint(server.url, "m", api_key="by-hand").ask_many(asked("q"))
        ChatEndpoint(server.url, "m", api_key="").ask_many(asked("q"))
    assert [headers.get("Authorization") for headers in server.headers] == ["Bearer by-hand", None]
    with pytest.raises(EndpointError, match="no HTTP header can carry") as told:
        ChatEndpoint("http://127.0.0.1/v1", "m", api_key="schlüssel")
    assert "schl" not in str(told.value)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving("from the proxy") as proxy, serving("from the server") as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert ChatEndpoint(server.url, "m").ask_many(asked("q")).replies[0].text == "from the server"
    assert proxy.bodies == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000/v1",
        "ftp://h/v1",
        "http://",
        "http://h/v1?key=hidden",
        "http://h/v1#x",
        "http://u:hidden@h/v1",
        "http://h:99999/v1",
        "http://h\n/v1",
        "file:///etc/passwd",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(EndpointError, match="cannot be the address of a chat endpoint; give one such as") as told:
        ChatEndpoint(url, "m")
    assert "hidden" not in str(told.value)


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"timeout": float("nan")}, {"retries": -1}, {"concurrency": 0}])
def test_numbers_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(EndpointError, match=f"{next(iter(wrong))}="):
        ChatEndpoint("http://127.0.0.1/v1", "m", **wrong)


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        ('{"choices": [{"message": {"content": null}}]}', Reply("")),
        ('{"choices": [{"message": {"content": "x"}, "finish_reason": null}], "usage": null}', Reply("x")),
        ('{"choices": [{"message": {"content": "x"}, "finish_reason": "length"}]}', Reply("x", "length")),
        ('{"choices": [{"message": {"content": [{"type": "text", "text": "x"}, {"text": "y"}]}}]}', Reply("xy")),
        ('{"choices": [{"message": {"content": "half \\ud83d"}}]}', Reply("half \ud83d")),
        (completion("🩻 x"), Reply("🩻 x", "stop", 11, 3)),
    ],
)
def test_replies_as_servers_write_them(body: str, reply: Reply, tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "replies.sqlite")
    with serving(lambda _b, _n: Says(body=body)) as server:
        endpoint = ChatEndpoint(server.url, "m")
        assert endpoint.ask_many(asked("q \ud800"), cache).replies == [reply]
        assert endpoint.ask_many(asked("q \ud800"), cache).replies == [reply]  # as it comes out of the cache
    assert len(server.bodies) == 1


def test_it_can_be_called_where_an_event_loop_runs(tmp_path: Path) -> None:
    async def notebook(server: ChatServer) -> str:
        cache = ReplyCache(tmp_path / "replies.sqlite")
        return ChatEndpoint(server.url, "m").ask_many(asked("q"), cache).replies[0].text

    with serving("fine") as server:
        assert asyncio.run(notebook(server)) == "fine"


def test_what_on_reply_raises_comes_out(tmp_path: Path) -> None:
    def broken(_place: int, _reply: Reply) -> None:
        raise ValueError("mine")

    cache = ReplyCache(tmp_path / "replies.sqlite")
    with serving("fine") as server:
        endpoint = ChatEndpoint(server.url, "m", concurrency=1)
        with pytest.raises(ValueError, match="mine"):
            endpoint.ask_many(asked("a", "b"), cache, broken)
        assert len(cache.find([endpoint.key(asked("a")[0])])) == 1


def test_nothing_to_ask_sends_nothing() -> None:
    result = ChatEndpoint("http://127.0.0.1:1/v1", "m").ask_many([])
    assert (result.replies, result.requests) == ([], 0)


def test_the_server_of_these_tests_answers() -> None:
    with serving("plain") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("POST", "/v1/chat/completions", b"{}")
        assert b"plain" in connection.getresponse().read()
        connection.close()
