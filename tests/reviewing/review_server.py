"""``radvqa curate review`` as a process, for tests."""

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Server:
    """A running review server.

    Attributes:
        process: the server.
        address: of the page.
        port: that it listens at.
    """

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process, self.address = process, address
        self.port = int(address.split(":")[2].split("/")[0])

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send a request; return status, headers and content."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        connection.request(method, path, content, sent)
        reply = connection.getresponse()
        found = reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        connection.close()
        return found

    def post(self, path: str, **body: Any) -> Any:
        """Send JSON and return the JSON that comes back."""
        status, _, content = self.ask("POST", path, body)
        assert status == 200, content
        return json.loads(content)


@contextmanager
def running(table: Path, *more: str, port: int = 0) -> Iterator[Server]:
    """Serve a table's review until the block ends."""
    command = [sys.executable, "-m", "radvqa", "curate", "review", str(table), "--port", str(port), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        yield Server(process, line.split(" at ")[1].split(" (")[0])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        process.stdout.close()
