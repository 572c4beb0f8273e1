"""Hearing an answer while it is written, token by token: for streams and for the likelihood of each token.

Writers tell what they chose; nobody hears unless somebody listens, in the same thread.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from torch import Tensor

_OTHERS = 5


@dataclass(frozen=True)
class Heard:
    """A token that was written.

    Attributes:
        token: its number.
        log_probability: of it.
        others: the likeliest tokens and their log-probabilities, best first.
    """

    token: int
    log_probability: float
    others: tuple[tuple[int, float], ...]


Listener = Callable[[Heard], None]
_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear every token of the one answer that is written meanwhile; what the listener raises stops the writing."""
    reset = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(reset)


def told(scores: Tensor) -> None:
    """Say which token was just chosen.

    Args:
        scores: log-probabilities of the vocabulary, ``(b, v)``; of several answers at a time nothing is said, because
            nobody could tell them apart.
    """
    listener = _LISTENER.get()
    if listener is None or len(scores) != 1:
        return
    best = scores[0].detach().topk(min(_OTHERS, scores.shape[1]))
    others = tuple(zip(best.indices.tolist(), best.values.tolist(), strict=True))
    listener(Heard(others[0][0], others[0][1], others))
