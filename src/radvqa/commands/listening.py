"""Where a server listens: on this machine alone, or where others reach it."""

import ipaddress
import socket

from radvqa.errors import RadvqaError

SHORTEST_SECRET = 16
"""Letters of the secret that a server demands where others reach it."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def names(host: str) -> tuple[str, ...]:
    """Names by which others may call this machine."""
    return (host, socket.gethostname(), socket.getfqdn())


def written(host: str) -> str:
    """An address as it is written in a URL."""
    return f"[{host}]" if ":" in host else host


def listen(host: str, port: int) -> socket.socket:
    """Take an address; port 0 is a free one.

    Raises:
        RadvqaError: when it is taken, or is none of this machine.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as error:
        raise RadvqaError(f"Cannot listen at {host}, port {port} ({error}); choose another with --port.") from None
    return listening
