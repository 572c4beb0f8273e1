"""Where a file is asked for: a published address, or the same path on a mirror; what the answers mean."""

from itertools import pairwise
from urllib.parse import urlsplit, urlunsplit

import httpx

from radvqa.endpoint.retry import LONGEST_WISH, seconds_of
from radvqa.errors import DataError

_BUSY = (408, 425, 429)
_FORBIDDEN = (401, 403)


class BrokenError(Exception):
    """Something that may be over when it is tried again; ``wish`` is the pause in seconds that the server wants."""

    def __init__(self, what: str, wish: float | None = None) -> None:
        super().__init__(what)
        self.wish = wish


def at(url: str, mirror: str | None) -> str:
    """Return the address to ask: scheme and host of the mirror, path of the published address.

    Raises:
        DataError: when either is no address of the web.
    """
    for address in (url, mirror) if mirror else (url,):
        known = urlsplit(address)
        if known.scheme not in ("http", "https") or not known.hostname:
            raise DataError(f"{address!r} is no address that can be fetched from; it must begin with https://HOST.")
    if not mirror:
        return url
    other, published = urlsplit(mirror), urlsplit(url)
    path = other.path.rstrip("/") + published.path
    return urlunsplit((other.scheme, other.netloc, path, published.query, ""))


def client() -> httpx.Client:
    """Return an HTTP client that follows redirects, uses the environment's proxies and asks for bytes as they are."""
    return httpx.Client(
        headers={"Accept-Encoding": "identity", "User-Agent": "radvqa"},
        timeout=httpx.Timeout(60.0, connect=30.0),
        follow_redirects=True,
    )


def check(response: httpx.Response, hint: str) -> None:
    """Make sure that a response brings the file.

    Args:
        response: its headers; the body is not read.
        hint: where a user can look, a sentence without its end.

    Raises:
        BrokenError: when the server is busy or fails for now.
        DataError: when the file cannot be had here; names address and status.
    """
    asked, status = str(response.request.url), response.status_code
    hops = [one.url.scheme for one in (*response.history, response)]
    if ("https", "http") in pairwise(hops):
        raise DataError(f"{response.history[0].url} leads to {asked}, which is not encrypted; nothing was fetched.")
    if status in _BUSY or status >= 500:
        wish = seconds_of(response.headers.get("Retry-After"))
        if wish is not None and wish > LONGEST_WISH:
            raise DataError(
                f"{asked} answers HTTP {status} and wants a pause of {wish:,.0f} s; fetch again after that, it goes "
                f"on where it stopped."
            )
        raise BrokenError(f"{asked} answers HTTP {status}", wish)
    if status in _FORBIDDEN:
        raise DataError(f"{asked} answers HTTP {status}: it is not open to everybody; {hint}.")
    if status not in (200, 206):
        raise DataError(f"{asked} answers HTTP {status}: the file is not there any more; {hint}.")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise DataError(f"{asked} sends the file in another form than the published one; {hint}.")


def validator(response: httpx.Response) -> str:
    """Return what ``If-Range`` takes: a strong ETag, else the date of the last change (RFC 9110, section 13.1.5)."""
    tag = str(response.headers.get("ETag", ""))
    return tag if tag.startswith('"') else str(response.headers.get("Last-Modified", ""))
