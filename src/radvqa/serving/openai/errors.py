"""Refusals in the shape that OpenAI's clients read, whoever of the service refuses."""

import json
import logging
from collections.abc import MutableMapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from radvqa.errors import RadvqaError
from radvqa.serving.events import BROKEN
from radvqa.serving.refusals import refusals

_LOG = logging.getLogger("radvqa.serving")
_ROOT, _NO_DOOR = "/v1/", "Not Found"
_OWN = (b"content-length", b"content-type")
_KIND = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class Problem(BaseModel):
    """Why not."""

    message: str
    type: str
    param: str | None = Field(description="Field that is meant.")
    code: str | None = None


class Refused(BaseModel):
    """The body of every refusal."""

    error: Problem


REFUSALS = refusals({"model": Refused})
"""Of every door below ``/v1/``; 422 comes as 400."""


class ApiError(RadvqaError):
    """A request that is not answered.

    Args:
        message: one sentence.
        status: of the response.
        param: the field that is meant.
        code: for programs.
    """

    def __init__(self, message: str, status: int = 400, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.param, self.code = status, param, code


def body(message: str, status: int, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """Write a refusal."""
    kind = _KIND.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return Refused(error=Problem(message=message, type=kind, param=param, code=code)).model_dump()


def install(app: FastAPI) -> None:
    """Let everything below ``/v1/`` refuse in this shape; comes after all other layers, so that it sees theirs."""

    @app.exception_handler(ApiError)
    async def refused(_request: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(body(str(error), error.status, error.param, error.code), error.status)

    app.add_middleware(_Reshaped)


class _Reshaped:
    """Rewrites ``{"detail": sentence}``; what is no error, streams among it, passes untouched."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_ROOT):
            await self._app(scope, receive, send)
            return
        started: MutableMapping[str, Any] | None = None
        content = b""

        async def reshaped(message: MutableMapping[str, Any]) -> None:
            nonlocal started, content
            if message["type"] == "http.response.start":
                started = message
                if message["status"] < 400:
                    await send(message)
            elif started is not None and started["status"] >= 400:
                content += message.get("body", b"")
                if not message.get("more_body"):
                    await _send(send, started, content, scope)
            else:
                await send(message)

        try:
            await self._app(scope, receive, reshaped)
        except Exception:
            if started is not None:
                raise
            _LOG.exception("a request broke")
            await _send(send, {"status": 500, "headers": []}, json.dumps({"detail": BROKEN}).encode(), scope)


async def _send(send: Any, started: MutableMapping[str, Any], content: bytes, scope: MutableMapping[str, Any]) -> None:
    status = 400 if started["status"] == 422 else int(started["status"])
    try:
        told = json.loads(content)
    except ValueError:
        told = content.decode("utf-8", "replace")
    if not (isinstance(told, dict) and "error" in told):
        message = str(told.get("detail", told) if isinstance(told, dict) else told)
        if message == _NO_DOOR:
            message = f"There is no door {scope['method']} {scope['path']}."
        content = json.dumps(body(message, status)).encode()
    kept = [(name, value) for name, value in started["headers"] if name.lower() not in _OWN]
    own = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*kept, *own]})
    await send({"type": "http.response.body", "body": content})
