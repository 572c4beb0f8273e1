"""How long computing waited for data: for pictures and features to come from disk into memory."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_SECONDS: ContextVar[list[float] | None] = ContextVar("seconds waited for data", default=None)


@contextmanager
def for_data() -> Iterator[None]:
    """Count what happens inside as waiting for data, where somebody counts."""
    seconds = _SECONDS.get()
    if seconds is None:
        yield
        return
    started = time.perf_counter()
    try:
        yield
    finally:
        seconds[0] += time.perf_counter() - started


@contextmanager
def counted() -> Iterator[list[float]]:
    """Count the waiting inside; yields a list whose one member is the seconds so far."""
    seconds = [0.0]
    token = _SECONDS.set(seconds)
    try:
        yield seconds
    finally:
        _SECONDS.reset(token)
