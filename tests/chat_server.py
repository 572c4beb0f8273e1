"""A real chat server on loopback that does what a test says: answer, dawdle, fail, or die."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Says:
    """One response.

    Attributes:
        text: what the model says.
        status: HTTP status.
        headers: beside the usual ones.
        body: sent instead of a chat completion.
        cut: send only so many bytes of the body that was announced, and close.
        silent: hold the response back until the server closes.
        after: wait for this before responding.
    """

    text: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    cut: int | None = None
    silent: bool = False
    after: Callable[[], object] | None = None


Script = Callable[[dict[str, Any], int], Says | str]
"""From a request's body and its number (1, 2, …) to the response."""


class ChatServer:
    """What a test sees of the server.

    Attributes:
        url: the base address.
        bodies: of all requests, as they came.
        headers: of all requests.
        paths: of all requests.
        most_at_once: requests that were under way together, at most.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.most_at_once = 0
        self.closing = threading.Event()
        self._under_way = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def prompts(self) -> list[str]:
        return [body["messages"][0]["content"] for body in self.bodies]

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def respond(self, body: dict[str, Any], headers: dict[str, str], path: str) -> Says:
        with self._lock:
            self.bodies.append(body)
            self.headers.append(headers)
            self.paths.append(path)
            number = len(self.bodies)
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        said = self.script(body, number)
        says = Says(said) if isinstance(said, str) else said
        if says.after:
            says.after()
        if says.silent:
            self.closing.wait()
        with self._lock:
            self._under_way -= 1
        return says


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for them

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up waiting is part of the tests."""


def _handler(server: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            says = server.respond(body, dict(self.headers.items()), self.path)
            content = (completion(says.text) if says.body is None else says.body).encode()
            self.send_response(says.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in says.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content[: says.cut])

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class named it
            pass

    return Handler


def completion(text: str) -> str:
    """Write a chat completion of 11 prompt tokens and 3 of reply."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice], "usage": {"prompt_tokens": 11, "completion_tokens": 3}})


@contextmanager
def serving(script: Script | str) -> Iterator[ChatServer]:
    """Run a server; a text is said to everything."""
    server = ChatServer((lambda _body, _number: script) if isinstance(script, str) else script)
    try:
        yield server
    finally:
        server.close()
