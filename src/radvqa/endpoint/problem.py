"""What went wrong with one request, in words, and whether asking again may help."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from radvqa.endpoint.retry import seconds_of

_REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
_NO_ENTRY = {HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN}
_BUSY = {HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_SHOWN = 200  # characters of a server's own words


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no reply.

    Attributes:
        what: what the address did, as the rest of a sentence that begins with the address.
        advice: what to do, as a clause.
        passing: it may be gone at the next try.
        refused: the server does not accept this request, and may accept others.
        wish: seconds to wait that the server asked for.
    """

    what: str
    advice: str
    passing: bool = False
    refused: bool = False
    wish: float | None = None


def of_error(error: Exception, timeout: float) -> Problem:
    """Describe a request that got no response."""
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return Problem(
            f"did not answer within {timeout:g} s",
            "look whether the server is well, raise the timeout or lower the concurrency",
            passing=True,
        )
    if isinstance(error, httpx.ConnectError):
        return Problem(
            f"cannot be reached ({shown(str(error))})", "start the server, or correct the address", passing=True
        )
    return Problem(
        f"broke off ({shown(str(error) or type(error).__name__)})", "look into the server's log", passing=True
    )


def of_response(response: httpx.Response) -> Problem:
    """Describe a response that is no success."""
    status = response.status_code
    said = f"HTTP {status}: {_detail(response)}"
    if response.is_redirect:
        target = shown(response.headers.get("location", "an address it does not name"))
        return Problem(f"sends on to {target} (HTTP {status})", "give the address that answers itself")
    if status in _NO_ENTRY:
        return Problem(f"lets nobody in without the right key ({said})", "set RADVQA_API_KEY to a valid key")
    if status == HTTPStatus.NOT_FOUND:
        return Problem(
            f"knows no such path or model ({said})",
            "look at the model's name and at the address, which for most servers ends in /v1",
        )
    if status in _REFUSED:
        return Problem(
            f"refuses the request ({said})", "look at the model's name and at the sampling parameters", refused=True
        )
    wish = seconds_of(response.headers.get("retry-after"))
    if status in _BUSY:
        return Problem(
            f"has too much to do ({said})", "lower the concurrency, or come back later", passing=True, wish=wish
        )
    passing = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT
    return Problem(f"fails ({said})", "look into the server's log", passing=passing, wish=wish)


def of_body(body: str) -> Problem:
    """Describe a success whose body holds no reply."""
    return Problem(
        f"answers with something that is no chat completion ({shown(body) or 'nothing'})",
        "look at the address, which for most servers ends in /v1",
        passing=True,
    )


def shown(text: str) -> str:
    """Shorten a server's words to one line."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


def _detail(response: httpx.Response) -> str:
    """Find the sentence in an error's body; servers put it in different places."""
    try:
        body: Any = response.json()
    except ValueError:
        return shown(response.text) or response.reason_phrase
    while isinstance(body, dict) and (inner := [body[k] for k in ("error", "message", "detail") if body.get(k)]):
        body = inner[0]
    return shown(body if isinstance(body, str) else str(body)) or response.reason_phrase
