"""The processes that train together: which rows are whose, and what they tell each other."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from radvqa.models.family import VqaModel
from radvqa.training.micro_batches import LossOf
from radvqa.training.state import Stateful

T = TypeVar("T")


@dataclass(frozen=True)
class Share:
    """What one process does of a batch.

    Attributes:
        rows: its own; where it has none, one row that does not count, because all must take part; ``(b,)``.
        counted: how many of the rows count.
        largest: the most rows that any process has.
        factor: of the rows' mean loss, so that the mean over the processes is the mean over the batch.
    """

    rows: Tensor
    counted: int
    largest: int
    factor: float


class Processes(Protocol):
    """One process, or several that train one model."""

    @property
    def main(self) -> bool:
        """Whether this process writes files and speaks."""
        ...

    @property
    def count(self) -> int:
        """How many there are."""
        ...

    @property
    def index(self) -> int:
        """Which one this is, from 0 on."""
        ...

    @property
    def sharded(self) -> bool:
        """Whether none of them holds the whole model."""
        ...

    def begin(self, model: VqaModel) -> None:
        """Spread the model's weights over the processes, where that is asked for; before anything looks at them."""
        ...

    def through(self, model: VqaModel) -> LossOf:
        """The model whose gradients are those of all processes together; of what learns now."""
        ...

    def whole(self, model: VqaModel) -> AbstractContextManager[None]:
        """While it lasts every process holds the whole model as the main one has it, and may use it on its own."""
        ...

    def share(self, rows: Tensor, pictures: Tensor) -> Share:
        """This process's part of a batch.

        Args:
            rows: of the batch, the same in all processes.
            pictures: which picture each row of the data shows.
        """
        ...

    def deal(self, things: Sequence[T]) -> list[T]:
        """This process's part of some things."""
        ...

    def each(self, part: Stateful) -> Stateful:
        """A part of the engine whose state is another one in every process; snapshots keep all of them."""
        ...

    def sum(self, value: Tensor) -> Tensor:
        """The sum over all processes."""
        ...

    def gather(self, values: Sequence[T]) -> list[T]:
        """Everybody's values, in the order of the processes."""
        ...

    def agree(self, value: T) -> T:
        """The main process's value, for all."""
        ...

    def wait(self) -> None:
        """Until all are here."""
        ...


class Alone:
    """One process."""

    main = True
    count = 1
    index = 0
    sharded = False

    def begin(self, model: VqaModel) -> None:
        """Nothing is spread."""

    def through(self, model: VqaModel) -> LossOf:
        """The model itself."""
        return model

    def whole(self, model: VqaModel) -> AbstractContextManager[None]:
        """It is whole."""
        return nullcontext()

    def share(self, rows: Tensor, pictures: Tensor) -> Share:
        """All of it."""
        return Share(rows, len(rows), len(rows), 1.0)

    def deal(self, things: Sequence[T]) -> list[T]:
        """All of them."""
        return list(things)

    def each(self, part: Stateful) -> Stateful:
        """The part itself."""
        return part

    def sum(self, value: Tensor) -> Tensor:
        """The value itself."""
        return value

    def gather(self, values: Sequence[T]) -> list[T]:
        """One's own values."""
        return list(values)

    def agree(self, value: T) -> T:
        """The value itself."""
        return value

    def wait(self) -> None:
        """There is nobody to wait for."""


def share(rows: Tensor, pictures: Tensor, index: int, count: int) -> Share:
    """Cut a batch into equal parts, a picture's questions side by side; the first parts take what is left over.

    At most ``count - 1`` pictures are cut. With ``n`` of ``b`` rows in one of ``p`` parts, the mean over the parts of
    ``p n / b`` times their mean loss is the batch's mean loss, and so are the gradients.

    Args:
        rows: of the batch.
        pictures: which picture each row of the data shows.
        index: of the part.
        count: of the parts.
    """
    by_picture = rows[torch.argsort(pictures[rows], stable=True)]
    parts = torch.tensor_split(by_picture, count)
    own = parts[index]
    return Share(own if len(own) else by_picture[:1], len(own), len(parts[0]), count * len(own) / len(rows))
