"""``radvqa serve`` as a process of its own, asked over HTTP."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

_PATIENCE = 120  # seconds
RAW = {"Content-Type": "application/octet-stream"}


class Service:
    """A running service.

    Attributes:
        address: begins with ``http://`` and has no slash at its end.
        process: of the service.
    """

    def __init__(self, address: str, process: "subprocess.Popen[str]") -> None:
        self.address, self.process = address, process

    def client(self, **options: Any) -> httpx.Client:
        """A client of the service."""
        return httpx.Client(base_url=self.address, timeout=_PATIENCE, trust_env=False, **options)

    def hand_in(self, content: bytes, name: str = "picture.png") -> dict[str, Any]:
        """Hand a picture in; returns its facts."""
        with self.client() as http:
            reply = http.post("/api/pictures", content=content, headers={"X-Name": name, **RAW})
            assert reply.status_code == 201, reply.text
            facts: dict[str, Any] = reply.json()
            return facts

    def events(self, path: str, body: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Post, and collect the events that come back."""
        with self.client() as http:
            reply = http.post(path, json=dict(body))
        assert reply.status_code == 200, reply.text
        return parsed(reply.text)

    def stop(self) -> int:
        """End the service as a user does; returns its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(_PATIENCE)


def parsed(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Read server-sent events."""
    found = []
    for part in text.split("\n\n"):
        if part.strip():
            event, data = part.split("\n", 1)
            found.append((event.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


@contextmanager
def service(folder: Path, *options: object, env: Mapping[str, str] | None = None) -> Iterator[Service]:
    """Start ``radvqa serve`` at a free port; what it writes goes below ``folder``, its log to ``serve.log`` there."""
    command = [sys.executable, "-m", "radvqa", "serve", "--port", "0"]
    if "--judgements" not in options:
        command += ["--judgements", str(folder / "judgements.sqlite")]
    if "--runs" not in options:
        command += ["--runs", str(folder / "runs")]
    with (folder / "serve.log").open("a") as log:
        process = subprocess.Popen(
            [*command, *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", **(env or {})},
        )
    try:
        line = process.stdout.readline() if process.stdout else ""
        address = next((word for word in line.split() if word.startswith("http://")), None)
        assert address, (folder / "serve.log").read_text()
        yield Service(address.rstrip("/"), process)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout:
            process.stdout.close()
