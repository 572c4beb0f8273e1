"""Work that is told of while it is done, as server-sent events; who stops listening stops the work."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any

from fastapi.responses import StreamingResponse

from radvqa.errors import RadvqaError

_LOG = logging.getLogger("radvqa.serving")
BROKEN = "Something broke inside the service; its log says what. Try again, or ask whoever runs it."


_EVENT = {
    "type": "object",
    "properties": {"event": {"type": "string"}, "data": {"type": "string", "description": "JSON."}},
    "required": ["data"],
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events.", "content": {"text/event-stream": {"schema": _EVENT}}}
}
"""Declares that a door answers with events; beside ``response_class=EventStream``, as its ``responses``."""


class Stopped(Exception):  # noqa: N818 - not an error
    """Nobody listens any more."""


class Tell:
    """Says how far the work is; may be called from any thread.

    Args:
        loop: in which events are sent.
        send: takes an event and its values.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Callable[[str, dict[str, Any]], None]) -> None:
        self._loop, self._send = loop, send
        self._stopped = threading.Event()

    def __call__(self, event: str, **values: Any) -> None:
        """Send an event.

        Raises:
            Stopped: when nobody listens any more, so that slow work ends at its next word.
        """
        self.check()
        self._loop.call_soon_threadsafe(self._send, event, values)

    def check(self) -> None:
        """Raise ``Stopped`` when nobody listens any more."""
        if self._stopped.is_set():
            raise Stopped

    def stop(self) -> None:
        """Nobody listens any more."""
        self._stopped.set()


class EventStream(StreamingResponse):
    """A response of server-sent events; as ``response_class`` it tells the documentation so."""

    media_type = "text/event-stream"


def stream(work: Callable[[Tell], Awaitable[None]]) -> StreamingResponse:
    """Do work and send what it tells; ends with the event ``end``, or with ``failed`` and a sentence in ``error``."""
    return EventStream(_written(work), headers={"Cache-Control": "no-store"})


async def _written(work: Callable[[Tell], Awaitable[None]]) -> AsyncIterator[str]:
    async with aclosing(told(work)) as events:
        async for event, values in events:
            yield f"event: {event}\ndata: {json.dumps(values, ensure_ascii=False)}\n\n"


async def told(work: Callable[[Tell], Awaitable[None]]) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    """Do work and give what it tells, then ``end``, or ``failed`` and a sentence; who stops asking stops the work."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[tuple[str, dict[str, Any]] | None] = asyncio.Queue()
    tell = Tell(loop, lambda event, values: waiting.put_nowait((event, values)))

    async def done() -> None:
        last: tuple[str, dict[str, Any]] = ("end", {})
        try:
            await work(tell)
        except RadvqaError as error:
            last = ("failed", {"error": str(error)})
        except Stopped:
            return
        except Exception:
            _LOG.exception("work that was told of broke")
            last = ("failed", {"error": BROKEN})
        for event in (last, None):
            loop.call_soon(waiting.put_nowait, event)  # behind what was told, which came the same way

    task = asyncio.create_task(done())
    try:
        while (event := await waiting.get()) is not None:
            yield event
    finally:
        tell.stop()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
