"""The processes that train together: which rows are whose, and what they tell each other."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from torch import Tensor

from radvqa.models.family import Prepared, VqaModel
from radvqa.training.micro_batches import LossOf

T = TypeVar("T")


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

    def through(self, model: VqaModel) -> LossOf:
        """The model whose gradients are those of all processes together."""
        ...

    def own(self, rows: Tensor, prepared: Prepared) -> tuple[Tensor, float]:
        """This process's part of a batch, and the factor of its loss that makes the mean over processes the batch's."""
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

    def through(self, model: VqaModel) -> LossOf:
        """The model itself."""
        return model

    def own(self, rows: Tensor, prepared: Prepared) -> tuple[Tensor, float]:
        """All of it."""
        return rows, 1.0

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
