"""``radvqa curate review``: serve the review page until it is stopped."""

import ipaddress
import socket
from contextlib import closing
from pathlib import Path

from radvqa import console
from radvqa.errors import RadvqaError


def review(table: Path, queue: Path | None, *, overlap: float, host: str, port: int, token: str) -> None:
    """Put the table's pairs into its queue and serve the page; returns when the server is stopped.

    Args:
        table: whose pairs are reviewed.
        queue: the queue's file; beside the table by default.
        overlap: share of pairs that two reviewers judge.
        host: address to listen at.
        port: to listen at; 0 takes a free one.
        token: secret that the page's address must hold once; needed beyond the loopback.

    Raises:
        RadvqaError: when a library is missing, the address is taken, or one beyond the loopback comes without a token.
    """
    try:
        import uvicorn

        from radvqa.reviewing.server import application
    except ImportError:
        raise RadvqaError("The review page needs fastapi and uvicorn: pip install 'radvqa[serve]'.") from None
    from radvqa.commands.curate import queue_of
    from radvqa.reviewing.queue import ReviewQueue

    if not _is_loopback(host) and len(token) < _SHORTEST:
        raise RadvqaError(
            f"{host} can be reached from other machines: set a secret of at least {_SHORTEST} letters with --token or "
            f"RADVQA_REVIEW_TOKEN, or leave --host at 127.0.0.1."
        )
    path, new = queue_of(table, queue, overlap)
    listening = _listen(host, port)
    with closing(listening):
        address = f"http://{_written(host)}:{listening.getsockname()[1]}/"
        progress = ReviewQueue(path).progress()
        console.say(f"{path}: {progress['pairs']:,} pairs, {new:,} of them new, {progress['left']:,} to be judged")
        print(f"Review at {address}{'?token=' + token if token else ''} (Ctrl+C ends)", flush=True)
        app = application(ReviewQueue(path), hosts=() if _is_loopback(host) else _names(host), token=token)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
        uvicorn.Server(config).run(sockets=[listening])


_SHORTEST = 16


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _names(host: str) -> tuple[str, ...]:
    """Names by which others may call this machine."""
    return (host, socket.gethostname(), socket.getfqdn())


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as error:
        raise RadvqaError(f"Cannot listen at {host}, port {port} ({error}); choose another with --port.") from None
    return listening
