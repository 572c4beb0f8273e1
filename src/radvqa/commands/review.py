"""``radvqa curate review``: serve the review page until it is stopped."""

from contextlib import closing
from pathlib import Path

from radvqa import console
from radvqa.commands.listening import SHORTEST_SECRET, is_loopback, listen, names, written
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

    if not is_loopback(host) and len(token) < SHORTEST_SECRET:
        raise RadvqaError(
            f"{host} can be reached from other machines: set a secret of at least {SHORTEST_SECRET} letters with "
            f"--token or RADVQA_REVIEW_TOKEN, or leave --host at 127.0.0.1."
        )
    path, new = queue_of(table, queue, overlap)
    listening = listen(host, port)
    with closing(listening):
        address = f"http://{written(host)}:{listening.getsockname()[1]}/"
        progress = ReviewQueue(path).progress()
        console.say(f"{path}: {progress['pairs']:,} pairs, {new:,} of them new, {progress['left']:,} to be judged")
        print(f"Review at {address}{'?token=' + token if token else ''} (Ctrl+C ends)", flush=True)
        app = application(ReviewQueue(path), hosts=() if is_loopback(host) else names(host), token=token)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
        uvicorn.Server(config).run(sockets=[listening])
