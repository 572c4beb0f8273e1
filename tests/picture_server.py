"""The service as a process, for tests that hand it pictures."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

import plain_http

_START = """
import json, sys
from pathlib import Path
from radvqa.commands.serve import serve
from radvqa.serving.settings import Limits, Settings
given = json.loads(sys.argv[1])
limits = Limits(**given.pop("limits"))
if "keep" in given:
    given["keep"] = Path(given["keep"])
serve(Settings(records=Path(given.pop("folder")) / "records.sqlite", limits=limits, **given), host="127.0.0.1", port=0)
"""


class Server:
    """A running service.

    Attributes:
        process: the service.
        address: of the page, without the slash at its end.
        port: that it listens at.
    """

    def __init__(self, process: "subprocess.Popen[str]", address: str, log: Path) -> None:
        self.process, self.address = process, address
        self.port = int(address.rpartition(":")[2])
        self._log = log

    @property
    def log(self) -> str:
        """What it has written to its log."""
        return self._log.read_text()

    @property
    def memory(self) -> int:
        """Bytes of the service itself."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def workers(self) -> list[psutil.Process]:
        """Its decoding processes."""
        return list(psutil.Process(self.process.pid).children())

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send a request; return status, headers and content."""
        return plain_http.ask(self.port, method, path, body, **headers)

    def send(self, content: bytes, name: str = "") -> Any:
        """Hand a picture in; return its facts."""
        status, _, reply = self.ask("POST", "/api/pictures", content, X_Name=name)
        assert status == 201, reply
        return json.loads(reply)


@contextmanager
def serving(folder: Path, *, limits: dict[str, Any] | None = None, **settings: Any) -> Iterator[Server]:
    """Run the service until the block ends; its log must not hold an error then."""
    given = {"folder": str(folder), "limits": limits or {}, **settings}
    log = folder / "service.log"
    surroundings = {name: value for name, value in os.environ.items() if name != "RADVQA_DATA"}
    command = [sys.executable, "-c", _START, json.dumps(given)]
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=surroundings)
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        assert " at " in line, log.read_text()
        yield Server(process, line.split(" at ")[1].split("/ (")[0], log)
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
