"""The seam for nets that write: what they teach, what they score, and what they wrote.

Letters: ``b`` questions, ``l`` decoder positions, ``k`` learned tokens of a batch, ``v`` tokens of the vocabulary,
``c`` training answers.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.sample import Sample

IGNORED = -100
"""Target of a position that teaches nothing."""

IMAGE_TOKEN = -1
"""Stands in a lesson's inputs for one token made from the picture."""

Inputs = TypeVar("Inputs")


@dataclass(frozen=True)
class Lesson:
    """What a batch teaches, position by position, as the decoder sees it.

    Attributes:
        inputs: tokens that the decoder reads, ``(b, l)``; ``IMAGE_TOKEN`` where a token comes from the picture.
        targets: the token that must follow each position, ``(b, l)``; ``IGNORED`` where nothing is learned.
        real: False on padding, ``(b, l)``.
    """

    inputs: Tensor
    targets: Tensor
    real: Tensor


@dataclass(frozen=True)
class Written:
    """An answer as it was written.

    Attributes:
        tokens: without the one that ends it.
        log_probability: of all tokens, the end included (natural logarithm).
        begins_after: the token that the decoder had read when it wrote the first one.
        ended: False when the limit cut it.
    """

    tokens: tuple[int, ...]
    log_probability: float
    begins_after: int
    ended: bool = True


class GeneratorNet(Protocol[Inputs]):
    """A net that reads pictures and prompts and writes answers."""

    @property
    def module(self) -> nn.Module:
        """Everything with parameters, an ``Assembly``."""
        ...

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """The parts that can be frozen or learned, by name; none inside another."""
        ...

    @property
    def tokenizer(self) -> Any:
        """Of the answers."""
        ...

    def digests(self) -> dict[str, str]:
        """Fingerprints of the pretrained checkpoints, by name."""
        ...

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Return the picture's content key by sample id; unreadable pictures are reported and left out."""
        ...

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str]) -> Inputs:
        """Turn samples into whatever the other methods index by row."""
        ...

    def image_rows(self, inputs: Inputs) -> Tensor:
        """Which distinct picture each row shows, ``(rows,)``."""
        ...

    def answer_tokens(self, answer: str) -> list[int]:
        """Tokens that teach an answer, the one that ends it included."""
        ...

    def prompts(self, inputs: Inputs, rows: Tensor) -> list[str]:
        """The prompts of some rows, decoded from the tokens that the model reads."""
        ...

    def lesson(self, inputs: Inputs, rows: Tensor, answers: Sequence[Sequence[int]]) -> Lesson:
        """Lay out what some rows teach, given the tokens of their answers."""
        ...

    def logits(self, inputs: Inputs, rows: Tensor, lesson: Lesson) -> Tensor:
        """Score what follows each learned position of the lesson, row by row from left to right, ``(k, v)``."""
        ...

    def write(self, inputs: Inputs, rows: Tensor, limit: int) -> list[Written]:
        """Write answers greedily, in evaluation mode and without gradients.

        Args:
            inputs: of all rows.
            rows: wanted ones, at most as many as ``AnsweringOptions.batch``; ``(b,)``.
            limit: of an answer, in tokens.
        """
        ...

    def write_merged(self, folder: Path) -> None:
        """Merge what was learned into the weights and write them in the hub's layout; the net is spent."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """A net that can keep what the last batch read, so that ranking and the loss do not read it again."""

    def remembering(self) -> AbstractContextManager[None]:
        """Keep it until the end of the block; no weight changes inside."""
        ...


Teaching = Literal["writing", "choosing", "both"]
"""What a loss is made of: the tokens of the answer, the choice among the training answers, or both."""


@runtime_checkable
class Chooses(Protocol):
    """A net that can also choose among the training answers, without its language model."""

    @property
    def teaching(self) -> Teaching:
        """What is learned by now, from which parts learn."""
        ...

    def choices(self, inputs: Any, rows: Tensor) -> Tensor:
        """Score every training answer for some rows, ``(b, c)``."""
        ...
