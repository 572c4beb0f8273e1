"""Hearing how far a slow method is, pass by pass; what the listener raises stops it.

Methods say how many passes they will make, and whatever asks the model says when it makes some. Nobody hears unless
somebody listens, in the same thread.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

Listener = Callable[[int, int], None]
"""Gets how many passes are made, and how many are expected; 0 expected where nobody said."""


@dataclass
class _Count:
    listener: Listener
    made: int = 0
    expected: int = 0


_COUNT: ContextVar[_Count | None] = ContextVar("passes", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear of all passes in the block; the listener is called before each, and what it raises stops the method."""
    reset = _COUNT.set(_Count(listener))
    try:
        yield
    finally:
        _COUNT.reset(reset)


def expected(passes: int) -> None:
    """Say that so many more passes will be made."""
    if (count := _COUNT.get()) is not None:
        count.expected += passes


def made(passes: int) -> None:
    """Say that so many passes are made now."""
    if (count := _COUNT.get()) is not None:
        count.listener(count.made, count.expected)
        count.made += passes
