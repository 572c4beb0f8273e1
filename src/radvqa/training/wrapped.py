"""Engine parts that keep plain values themselves, seen as ``Stateful``."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from radvqa.models.family import VqaModel
from radvqa.training.learnable import Learnable
from radvqa.training.processes import Processes
from radvqa.training.sharded import like
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
        processes: that train together; all of them ask for the weights, or put them back, at the same time.
    """

    def __init__(self, model: VqaModel, learnable: Learnable, processes: Processes) -> None:
        self._model, self._learnable, self._processes = model, learnable, processes

    def state(self) -> State:
        """The weights."""
        return State(self.tensors())

    def load(self, state: State) -> None:
        """Put them back."""
        self.put_back(state.tensors)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The weights by name."""
        with self._processes.whole(self._model), self._learnable.everything():
            return self._model.state()

    def put_back(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Put weights back."""
        with self._learnable.everything():
            own = self._model.module.state_dict()
            self._model.load_state({name: like(own[name], t) if name in own else t for name, t in tensors.items()})
