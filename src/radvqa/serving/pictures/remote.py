"""Pictures from public addresses, fetched so that nobody can make this machine look into its own network.

Every address that a name stands for must be public, and the connection goes to the very address that was checked, so
that a name cannot mean another machine a moment later. Redirects are followed a few times, each checked the same way.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

import httpx

from radvqa.errors import RadvqaError

_SECONDS = 15.0
_REDIRECTS = 3
_PORTS = (80, 443)
_MOVED = (301, 302, 303, 307, 308)

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""All addresses that a name stands for."""

_EMBEDDING = tuple(
    ipaddress.ip_network(network)
    for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "::ffff:0:0/96")
)
"""IPv6 addresses that stand for IPv4 ones; a relay could turn them inwards."""


class RemoteError(RadvqaError):
    """A picture that is not fetched; says why."""


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet, and to one machine there."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and any(parsed in network for network in _EMBEDDING):
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


async def resolved(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def fetch(
    url: str,
    *,
    most: int,
    seconds: float = _SECONDS,
    resolve: Resolve = resolved,
    allowed: Callable[[str, int], bool] = lambda address, port: is_public(address) and port in _PORTS,
) -> bytes:
    """Fetch a file.

    Args:
        url: ``http`` or ``https``, without a user.
        most: bytes of the file.
        seconds: for all of it, redirects included.
        resolve: turns a name into addresses.
        allowed: whether an address and port may be talked to.

    Raises:
        RemoteError: when an address on the way may not be talked to, or the file is not there, too large or too slow.
    """
    try:
        async with asyncio.timeout(seconds):
            for _ in range(_REDIRECTS + 1):
                found = await _step(url, most, resolve, allowed)
                if isinstance(found, bytes):
                    return found
                url = found
    except TimeoutError:
        raise RemoteError(f"The picture did not come within {seconds:g} s.") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError):
        raise RemoteError("The picture's address does not answer properly.") from None
    raise RemoteError(f"The picture's address sends on more than {_REDIRECTS} times.")


async def _step(url: str, most: int, resolve: Resolve, allowed: Callable[[str, int], bool]) -> bytes | str:
    """Ask one address; returns the file, or where it sends on to."""
    asked = _parsed(url)
    port = asked.port or (443 if asked.scheme == "https" else 80)
    try:
        addresses = await resolve(asked.host, port)
    except (OSError, UnicodeError):
        raise RemoteError("The picture's address is of no machine that is known.") from None
    if not addresses or not all(allowed(address, port) for address in addresses):
        raise RemoteError("The picture's address is not on the public internet; nothing is fetched from there.")
    pinned = asked.copy_with(host=addresses[0], port=port)
    headers = {"Host": asked.netloc.decode("ascii"), "Accept": "image/*, */*", "Accept-Encoding": "identity"}
    async with (
        httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=None) as client,  # noqa: S113 - fetch's own
        client.stream("GET", pinned, headers=headers, extensions={"sni_hostname": asked.host}) as response,
    ):
        if response.status_code in _MOVED and "location" in response.headers:
            return str(asked.join(response.headers["location"]))
        if response.status_code != httpx.codes.OK:
            raise RemoteError(f"The picture's address answers with HTTP {response.status_code}.")
        content = bytearray()
        async for piece in response.aiter_raw():  # as sent: nothing is unpacked, so nothing can swell
            content += piece
            if len(content) > most:
                raise RemoteError(f"The picture is larger than {most:,} bytes.")
        return bytes(content)


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise RemoteError("The picture's address is none.") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise RemoteError("A picture's address must begin with https:// or http://.")
    if parsed.userinfo:
        raise RemoteError("A picture's address may hold no user and no password.")
    return parsed
