"""Engine parts that keep plain values themselves, seen as ``Stateful``."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from radvqa.models.family import VqaModel
from radvqa.training.learnable import Learnable
from radvqa.training.state import State


class Plain:
    """Something with plain values as its state (meter, gradient scaler, compile trial).

    Args:
        give: returns them.
        take: puts them back.
    """

    def __init__(self, give: Callable[[], Mapping[str, Any]], take: Callable[[Any], object]) -> None:
        self._give, self._take = give, take

    def state(self) -> State:
        """The plain values."""
        return State(plain=self._give())

    def load(self, state: State) -> None:
        """Put them back."""
        self._take(dict(state.plain))


class Weights:
    """All that any stage learns of a model.

    Args:
        model: learns.
        learnable: knows what was built to learn.
    """

    def __init__(self, model: VqaModel, learnable: Learnable) -> None:
        self._model, self._learnable = model, learnable

    def state(self) -> State:
        """The weights."""
        return State(self.tensors())

    def load(self, state: State) -> None:
        """Put them back."""
        self.put_back(state.tensors)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The weights by name."""
        with self._learnable.everything():
            return self._model.state()

    def put_back(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Put weights back."""
        with self._learnable.everything():
            self._model.load_state(tensors)
