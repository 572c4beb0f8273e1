"""The little of ASGI that is needed: requests read, answers written."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """A request without its body.

    Attributes:
        method: in capitals.
        path: decoded.
        query: as sent.
        headers: names in small letters.
        client: address of who asks.
        scheme: ``http`` or ``https``.
        header_bytes: of all headers.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    client: str
    scheme: str
    header_bytes: int

    @classmethod
    def of(cls, scope: Scope) -> "Request":
        """Read a scope."""
        raw = scope.get("headers", ())
        return cls(
            scope["method"],
            scope["path"],
            scope.get("query_string", b"").decode("latin-1"),
            tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw),
            (scope.get("client") or ("",))[0],
            scope.get("scheme", "http"),
            sum(len(name) + len(value) for name, value in raw),
        )

    def all(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for known, value in self.headers if known == name]

    def header(self, name: str) -> str:
        """Return a header; empty when it is not there."""
        return next(iter(self.all(name)), "")

    def cookie(self, name: str) -> str:
        """Return a cookie; empty when it is not there."""
        for pair in "; ".join(self.all("cookie")).split(";"):
            known, _, value = pair.strip().partition("=")
            if known == name:
                return value
        return ""


@dataclass(frozen=True)
class Answer:
    """An answer that a guard gives itself.

    Attributes:
        status: of HTTP.
        body: of it.
        kind: its media type.
        headers: besides that.
    """

    status: int
    body: bytes = b""
    kind: str = "application/json"
    headers: Headers = field(default=())

    @classmethod
    def refusing(cls, status: int, why: str, *headers: tuple[str, str]) -> "Answer":
        """Say in a sentence why not."""
        return cls(status, json.dumps({"detail": why}).encode(), headers=headers)

    async def to(self, send: Send) -> None:
        """Send it."""
        listed = (("content-type", self.kind), ("content-length", str(len(self.body))), *self.headers)
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in listed]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        await send({"type": "http.response.body", "body": self.body})


class TooLong(Exception):  # noqa: N818 - told as an answer
    """A body with more bytes than are taken."""


class TooSlow(Exception):  # noqa: N818 - told as an answer
    """A body that does not come."""


async def body_of(receive: Receive, most: int, seconds: float) -> bytes | None:
    """Read a body; None when who sent it has gone.

    Raises:
        TooLong: as soon as it is too long.
        TooSlow: when it does not come.
    """
    content = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                content += message.get("body", b"")
                if len(content) > most:
                    raise TooLong
                if not message.get("more_body"):
                    return bytes(content)
    except TimeoutError:
        raise TooSlow from None


class Watched:
    """Receives, and knows whether all of a body has come.

    Args:
        receive: of the server.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive, self._over = receive, False

    async def __call__(self) -> Message:
        """Return what comes next."""
        message = await self._receive()
        self._over = message["type"] != "http.request" or not message.get("more_body")
        return message

    async def drain(self, most: int, seconds: float) -> None:
        """Throw away what still comes, so that whoever sends it hears the answer; not for long, and not for much."""
        try:
            async with asyncio.timeout(seconds):
                while not self._over and most > 0:
                    most -= len((await self()).get("body", b""))
        except TimeoutError:
            return


def again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read once more, and after it what else comes."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Message:
        return left.pop() if left else await receive()

    return receiving
