"""The service in this process, so that tests can hand it samples and count the passes of its models."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from radvqa.serving.app import application
from radvqa.serving.pictures.picture import Picture, Truth
from radvqa.serving.service import Service
from radvqa.serving.settings import Settings
from service import parsed

_PATIENCE = 120  # seconds


class Here:
    """A service that runs in this process.

    Attributes:
        service: its parts.
        address: begins with ``http://`` and has no slash at its end.
    """

    def __init__(self, service: Service, address: str, loop: asyncio.AbstractEventLoop) -> None:
        self.service, self.address, self._loop = service, address, loop

    def client(self) -> httpx.Client:
        """A client of the service."""
        return httpx.Client(base_url=self.address, timeout=_PATIENCE, trust_env=False)

    def hand_in(self, content: bytes, truth: Truth | None = None) -> Picture:
        """Hand a picture in, with what a data set says about it."""
        adding = self.service.pictures.add(content, "picture.png", truth)
        return asyncio.run_coroutine_threadsafe(adding, self._loop).result(_PATIENCE)

    def answerer(self, name: str) -> Any:
        """A loaded model."""
        loading = self.service.shelf.offer(name).loaded()
        return asyncio.run_coroutine_threadsafe(loading, self._loop).result(_PATIENCE).answerer

    def get(self, path: str, **query: str) -> Any:
        """Get JSON."""
        with self.client() as http:
            reply = http.get(path, params=query)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def events(self, path: str, **body: Any) -> list[tuple[str, dict[str, Any]]]:
        """Post, and collect the events that come back."""
        with self.client() as http:
            reply = http.post(path, json=body)
        assert reply.status_code == 200, reply.text
        return parsed(reply.text)

    def event(self, path: str, **body: Any) -> dict[str, Any]:
        """Post, and return what came before the end."""
        (_, found), (end, _) = self.events(path, **body)[-2:]
        assert end == "end"
        return found

    def refusal(self, path: str, **body: Any) -> str:
        """Post what cannot be done; returns the sentence that says why."""
        with self.client() as http:
            reply = http.post(path, json=body)
        if reply.status_code != 200:
            assert 400 <= reply.status_code < 500
            return str(reply.json()["detail"])
        name, last = parsed(reply.text)[-1]
        assert name == "failed", last
        return str(last["error"])


@contextmanager
def running(folder: Path, *models: object, **changes: Any) -> Iterator[Here]:
    """Run the service until the block ends.

    Args:
        folder: for what it writes.
        models: ``starter`` or run folders.
        changes: of the settings.
    """
    settings = Settings(
        runs=folder, models=tuple(map(str, models)), records=folder / "judgements.sqlite", device="cpu", **changes
    )
    listening = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    service = Service.open(settings)
    config = uvicorn.Config(application(service), log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve(sockets=[listening])), daemon=True)
    thread.start()
    try:
        yield Here(service, f"http://127.0.0.1:{listening.getsockname()[1]}", loop)
    finally:
        server.should_exit = True
        thread.join(_PATIENCE)
        listening.close()
        loop.close()


def body(picture: Picture, question: str, model: str, **more: Any) -> Mapping[str, Any]:
    """What is asked about an answer."""
    return {"picture": picture.id, "question": question, "model": model, **more}
