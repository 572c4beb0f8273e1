"""The seam for what answers: pictures and questions in, replies out, many at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Asked:
    """A question about a picture.

    Attributes:
        pixels: as the asker sees the picture, ``(rows, columns)`` or with colours.
        digest: of the pixels; questions about equal pictures are answered with one look.
        question: in the language of the model.
    """

    pixels: NDArray[np.uint8]
    digest: str
    question: str


@dataclass(frozen=True)
class Token:
    """A piece of an answer.

    Attributes:
        text: of it; a model that chooses among answers gives the whole answer as one piece.
        log_probability: of it after what stands before.
        others: likely pieces in its place and their log-probabilities, best first, itself included.
    """

    text: str
    log_probability: float
    others: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Reply:
    """What a model answers.

    Attributes:
        answer: None when the model abstains.
        confidence: probability of the answer, or of the guess that it does not give; None when it tells none.
        abstained: why there is no answer, in a sentence.
        candidates: answers and their probabilities, best first.
        tokens: of the answer; empty when the model tells nothing about them.
    """

    answer: str | None
    confidence: float | None
    abstained: str | None = None
    candidates: tuple[tuple[str, float], ...] = ()
    tokens: tuple[Token, ...] = field(default=())

    @property
    def text(self) -> str:
        """The answer, or why there is none."""
        return self.answer if self.answer is not None else self.abstained or ""


class Answerer(Protocol):
    """A loaded model."""

    @property
    def writes(self) -> bool:
        """Whether answers come word by word."""
        ...

    def answer(self, asked: Sequence[Asked]) -> list[Reply]:
        """Answer questions in one pass; called by one thread at a time."""
        ...


@runtime_checkable
class Speaks(Protocol):
    """An answerer that says what it has written so far."""

    def speak(self, asked: Asked, say: Callable[[str], None]) -> Reply:
        """Answer one question; ``say`` is called with the answer so far, and what it raises stops the writing."""
        ...
