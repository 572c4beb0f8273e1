"""Progress for people: a bar on a terminal, plain lines elsewhere; always on stderr, so stdout stays a result."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]

_PLAIN_SECONDS = 5.0  # a line at most this often where there is no terminal


def speaks() -> bool:
    """Whether this process speaks to people: of several that work together (``torchrun``) only the first does."""
    return os.environ.get("RANK", "0") == "0" or "LOCAL_RANK" not in os.environ


def say(message: str) -> None:
    """Print one line of progress."""
    if speaks():
        print(message, file=sys.stderr, flush=True)


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """Show how far a loop of ``total`` steps has come; yields a function to call with the steps done."""
    if not speaks():
        yield lambda steps: None
        return
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda steps: bar.advance(task, steps)
        return
    yield _PlainProgress(what, total).advance


class _PlainProgress:
    """Lines such as ``decoding images: 120 of 642``, at most one every few seconds."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0
        self.last = time.monotonic()

    def advance(self, steps: int) -> None:
        self.done += steps
        now = time.monotonic()
        if now - self.last >= _PLAIN_SECONDS:
            self.last = now
            say(f"{self.what}: {self.done} of {self.total}")
