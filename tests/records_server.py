"""``radvqa serve`` as a process, for tests of what it keeps and what it tells of runs."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Page, sync_playwright

import plain_http
from headless import browser
from radvqa.commands.listening import listen
from radvqa.data.image import encode_png
from radvqa.serving.pictures.picture import Truth
from radvqa.serving.settings import Settings


class Server:
    """A running service.

    Attributes:
        process: the server.
        address: of the page.
        port: that it listens at.
        pictures: ids of those that it has.
    """

    def __init__(self, process: subprocess.Popen[str], address: str, pictures: list[str]) -> None:
        self.process, self.address, self.pictures = process, address, pictures
        self.port = int(address.rstrip("/").rsplit(":", 1)[1])

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send a request; return status, headers and content."""
        return plain_http.ask(self.port, method, path, body, **headers)

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of an address."""
        status, _, content = self.ask("GET", f"{path}?{urlencode(query, doseq=True)}" if query else path)
        assert status == 200, content
        return json.loads(content)

    def refused(self, path: str, **query: Any) -> str:
        """Return why an address is refused."""
        status, _, content = self.ask("GET", f"{path}?{urlencode(query, doseq=True)}" if query else path)
        assert 400 <= status < 500, (status, content)
        return str(json.loads(content)["detail"])

    def post(self, path: str, status: int = 200, **body: Any) -> Any:
        """Send JSON and return the JSON that comes back."""
        found, _, content = self.ask("POST", path, body)
        assert found == status, (found, content)
        return json.loads(content)


@contextmanager
def running(folder: Path, *, queue: Path | None = None, port: int = 0) -> Iterator[Server]:
    """Serve the runs and judgements in a folder until the block ends; some pictures have been handed in already.

    ``pictures`` of the server are an ordinary one, and one of a data set whose stored answer is ``CT``.
    """
    command = [sys.executable, __file__, str(folder), str(port), str(queue or "")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the service does not start"
    address, *pictures = line.split()
    try:
        yield Server(process, address, pictures)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        process.stdout.close()


@contextmanager
def page_of(address: str, *, lost: int = 0, **options: Any) -> Iterator[Page]:
    """Open an address in a real browser; anything on its console fails the test at the end.

    Args:
        address: to open.
        lost: requests that the test lets fail, which the browser writes to the console.
        options: of the browser's page.
    """
    said: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        page = chromium.new_page(**{"viewport": {"width": 1280, "height": 900}, **options})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(address)
        yield page
        chromium.close()
    failed = [text for text in said if text.startswith("Failed to load resource: net::")]
    assert len(failed) >= lost
    assert [text for text in said if not lost or text not in failed] == []


def until(page: Page, script: str) -> None:
    """Wait until an expression is true; Playwright's own way needs eval, which the page's policy forbids."""
    for _ in range(300):
        if page.evaluate(script):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{script} does not become true")


def _serve(folder: Path, port: int, queue: str) -> None:
    import uvicorn

    from radvqa.serving.app import application
    from radvqa.serving.service import Service

    settings = Settings(
        runs=folder / "runs", records=folder / "judgements.sqlite", queue=Path(queue) if queue else None
    )
    service = Service.open(settings)
    pixels = np.full((24, 32), 100, np.uint8)
    pixels[4:12, 8:20] = 155
    truth = Truth("slake:en", "test", "q7", "Which modality is it?", "CT", "OPEN", "img7.png")

    async def serve() -> None:
        own = await service.pictures.add(encode_png(pixels), "secret name.png")
        sample = await service.pictures.add(encode_png(255 - pixels), "img7.png", truth)
        listening = listen("127.0.0.1", port)
        print(f"http://127.0.0.1:{listening.getsockname()[1]}/", own.id, sample.id, flush=True)
        config = uvicorn.Config(application(service), log_level="warning", access_log=False)
        await uvicorn.Server(config).serve(sockets=[listening])

    asyncio.run(serve())


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
