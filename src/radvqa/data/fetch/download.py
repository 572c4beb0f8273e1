"""One file over HTTP: gone on with after a break, tried again with growing pauses, and held to its digest."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from radvqa import console
from radvqa.data.dataset import Download
from radvqa.data.fetch import disk, source
from radvqa.data.fetch.part import Part
from radvqa.data.fetch.source import BrokenError
from radvqa.endpoint.retry import wait_before
from radvqa.errors import DataError

RETRIES = 5
"""Tries in a row that bring nothing new, before it is given up."""

RESERVE = 64 * 2**20
"""Bytes that stay free while a file comes whose size nobody tells."""

_MEGABYTE = 10**6
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that came whole.

    Attributes:
        size: bytes.
        sha256: of the file, as measured; equal to the published one where there is one.
    """

    size: int
    sha256: str


def download(
    wanted: Download,
    path: Path,
    *,
    mirror: str | None = None,
    hint: str = "see the page of the source",
    pause: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Fetch one file; what an earlier call left behind is gone on with.

    Args:
        wanted: what and where it is, and what it must be.
        path: the file to write; beside it, while it comes, are ``.part`` and ``.part.json``.
        mirror: scheme and host to ask instead of the published ones.
        hint: where a user can look when it cannot be had, a sentence without its end.
        pause: waits for so many seconds.

    Raises:
        DataError: when it cannot be had, differs from what was published, or there is no room for it.
    """
    address = source.at(wanted.url, mirror)
    with Part(path, wanted.url) as part, source.client() as client:
        tries, furthest = 0, part.length
        while not _is_whole(part):
            try:
                _receive(client, address, wanted, part, hint)
                break
            except httpx.UnsupportedProtocol as error:
                raise DataError(f"{address} leads to an address that is not of the web: {error}") from None
            except httpx.TooManyRedirects:
                raise DataError(f"{address} leads in a circle; {hint}.") from None
            except (BrokenError, httpx.TransportError) as error:
                tries = 1 if part.length > furthest else tries + 1
                furthest = max(furthest, part.length)
                what = str(error) or type(error).__name__
                if tries > RETRIES:
                    raise DataError(
                        f"{address} could not be fetched after {RETRIES} more tries: {what}; {part.length:,} bytes "
                        f"are kept, fetch again to go on from there."
                    ) from None
                console.say(f"{wanted.url}: {what}; trying again from byte {part.length:,}")
                pause(wait_before(tries, error.wish if isinstance(error, BrokenError) else None))
        _hold_to(wanted, part, hint)
        part.checkpoint()
        part.finish()
        return Fetched(part.length, part.digest.hexdigest())


def _is_whole(part: Part) -> bool:
    return part.total is not None and part.length == part.total


def _receive(client: httpx.Client, address: str, wanted: Download, part: Part, hint: str) -> None:
    """Ask for what is missing and write it down.

    Raises:
        BrokenError: when less came than was announced.
        DataError: as ``download``.
    """
    with client.stream("GET", address, headers=_asking_for_the_rest(wanted, part)) as response:
        if response.status_code == 416:  # there is no such rest
            part.restart()
            raise BrokenError(f"{address} has no bytes after those that are here")
        source.check(response, hint)
        _tell_other_host(address, response)
        if not _goes_on(response, part):
            part.restart()
        part.validator, part.total = source.validator(response), _total(response, part)
        _check_size(wanted, part, hint)
        expected = part.total if part.total is not None else wanted.size
        disk.require(part.file.parent, RESERVE if expected is None else expected - part.length, wanted.url)
        with _megabytes(wanted.url, expected, part.length) as tell:
            for block in response.iter_raw():  # blocks of a chosen size would be lost where the connection breaks
                if expected is None:
                    disk.require(part.file.parent, RESERVE, wanted.url)
                part.append(block)
                tell(len(block))
                if expected is not None and part.length > expected:
                    break
    if part.total is not None and part.length < part.total:
        raise BrokenError(f"the connection ended after {part.length:,} of {part.total:,} bytes")


def _asking_for_the_rest(wanted: Download, part: Part) -> dict[str, str]:
    """Return the headers; without a validator or a published digest nobody could tell whether the rest fits."""
    if not part.length:
        return {}
    if not part.validator and not wanted.sha256:
        part.restart()
        return {}
    return {"Range": f"bytes={part.length}-"} | ({"If-Range": part.validator} if part.validator else {})


def _goes_on(response: httpx.Response, part: Part) -> bool:
    """Tell whether the response is the rest of the part; else it is the whole file.

    Raises:
        BrokenError: when it is neither.
    """
    if response.status_code != 206:
        return False
    given = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    same = given and int(given[1]) == part.length and (part.total is None or given[2] in ("*", str(part.total)))
    if not same or source.validator(response) not in ("", part.validator):
        part.restart()
        raise BrokenError("the server sends another part than the one that was asked for")
    return True


def _total(response: httpx.Response, part: Part) -> int | None:
    length = response.headers.get("Content-Length", "")
    if length.isdigit():
        return part.length + int(length)
    given = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return int(given[2]) if given and given[2] != "*" else None


def _check_size(wanted: Download, part: Part, hint: str) -> None:
    if wanted.size is not None and part.total is not None and part.total != wanted.size:
        total = part.total
        part.discard()
        raise DataError(
            f"{wanted.url} has {total:,} bytes where {wanted.size:,} were published: the source has changed; {hint}."
        )


def _hold_to(wanted: Download, part: Part, hint: str) -> None:
    """Compare what came with what was published; what differs is deleted."""
    length, digest = part.length, part.digest.hexdigest()
    if wanted.size is not None and length != wanted.size:
        part.discard()
        raise DataError(
            f"{wanted.url} brought {length:,} bytes where {wanted.size:,} were published; it was deleted; {hint}."
        )
    if wanted.sha256 and digest != wanted.sha256.lower():
        part.discard()
        raise DataError(
            f"{wanted.url} has the SHA-256 {digest} where {wanted.sha256} was published; what came was deleted. Fetch "
            f"again; when it differs once more the source has changed: {hint}."
        )


def _tell_other_host(address: str, response: httpx.Response) -> None:
    asked, given = urlsplit(address).hostname, response.url.host
    if asked != given:
        console.say(f"{asked} leads on to {given}")


@contextmanager
def _megabytes(url: str, total: int | None, done: int) -> Iterator[Callable[[int], None]]:
    """Show progress in whole megabytes; yields a function to call with the bytes that came."""
    if total is None:
        yield lambda more: None
        return
    name = Path(urlsplit(url).path).name
    with console.progress(f"fetching {name} (MB)", -(-total // _MEGABYTE)) as advance:
        so_far = 0

        def tell(more: int) -> None:
            nonlocal so_far
            before, so_far = so_far // _MEGABYTE, so_far + more
            if so_far // _MEGABYTE > before:
                advance(so_far // _MEGABYTE - before)

        tell(done)
        yield tell
