"""Slow work with a model, in turns with those who ask it questions."""

import threading
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager


class Turns:
    """Holds a model's own thread while the model is used from another one, so that nobody else uses it.

    Between two passes the turn may be given away; questions that wait are then answered first.

    Args:
        thread: the model's.
    """

    def __init__(self, thread: Executor) -> None:
        self._thread = thread
        self._over = threading.Event()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """The model is ours in the block, but for where ``pause`` is called."""
        self._take()
        try:
            yield
        finally:
            self._over.set()

    def pause(self) -> None:
        """Let those who wait use the model first; only between two passes."""
        self._over.set()
        self._take()

    def _take(self) -> None:
        begun, over = threading.Event(), threading.Event()

        def hold() -> None:
            begun.set()
            over.wait()

        self._thread.submit(hold)
        begun.wait()
        self._over = over
