"""Slow work about an answer: so much at a time, told of pass by pass, stopped when nobody listens any more."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from radvqa.serving.answerers.answerer import Asked
from radvqa.serving.events import Tell
from radvqa.serving.maps.turns import Turns
from radvqa.serving.maps.wanted import About
from radvqa.serving.service import Service
from radvqa.serving.shelf import Loaded

if TYPE_CHECKING:
    from radvqa.serving.maps.looking import Progress
    from radvqa.serving.maps.sessions import Sessions

Work = Callable[["Sessions", Asked, "Progress"], dict[str, Any]]


class Slow:
    """Does the slow work of a service.

    Args:
        service: whose models are used.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._room = asyncio.Semaphore(service.settings.limits.slow)
        self._sessions: dict[str, Sessions] = {}

    async def opened(self, name: str) -> "tuple[Loaded, Sessions]":
        """Load a model, and take what was kept of the last answer that it explained."""
        loaded = await self._service.shelf.offer(name).loaded()
        sessions = await asyncio.to_thread(_sessions, loaded)
        if name not in self._sessions or self._sessions[name].answerer is not loaded.answerer:
            self._sessions[name] = sessions
        return loaded, self._sessions[name]

    async def do(self, about: About, tell: Tell, event: str, work: Work) -> None:
        """Do work about an answer, and tell what comes of it as an event.

        Raises:
            RadvqaError: when there is no such picture or model, or what the work raised.
        """
        service = self._service
        picture = service.pictures.get(about.picture)
        if service.shelf.offer(about.model).state != "ready":
            tell("progress", text="Loading the model", done=0, total=0)
        loaded, sessions = await self.opened(about.model)
        seen = await service.pictures.seen(picture, about.view)
        asked = Asked(seen.pixels, seen.digest, about.question)
        if self._room.locked():
            tell("progress", text="Waiting for other slow work to end", done=0, total=0)
        async with self._room:
            tell("progress", text="Looking into the model", done=0, total=0)
            began = time.perf_counter()
            found = await asyncio.to_thread(_done, work, sessions, asked, tell, Turns(loaded.batcher.thread))
            tell(event, model=about.model, seconds=round(time.perf_counter() - began, 3), **found)


def _sessions(loaded: Loaded) -> "Sessions":
    from radvqa.serving.maps.sessions import Sessions  # imports torch

    return Sessions(loaded.answerer)


def _done(work: Work, sessions: "Sessions", asked: Asked, tell: Tell, turns: Turns) -> dict[str, Any]:
    def progress(text: str, done: int, total: int, *, pause: bool = False) -> None:
        tell("progress", text=text, done=min(done, total), total=total)
        if pause:
            turns.pause()
            tell.check()

    with turns.taken(), sessions.at_work():
        tell.check()
        return work(sessions, asked, progress)
