"""Exponential moving average of the trained weights (Polyak averaging), evaluated instead of the last weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from radvqa.training.sharded import like, whole
from radvqa.training.state import State


class WeightAverage:
    """Keeps a running average of a module's trained parameters.

    Args:
        module: whose parameters are averaged.
        decay: of the average per step; early steps use ``(1 + step) / (10 + step)`` where that is smaller, so that
            the random start is soon forgotten.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self.average = [parameter.detach().clone() for parameter in self.parameters]
        self.decay, self.steps = decay, 0

    def update(self) -> None:
        """Take in the weights after a step."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - decay)

    def state(self) -> State:
        """The average, and how many steps are in it."""
        tensors = {str(place): whole(tensor).detach().cpu().clone() for place, tensor in enumerate(self.average)}
        return State(tensors, {"steps": self.steps})

    def load(self, state: State) -> None:
        """Go on from there."""
        self.steps = int(state.plain["steps"])
        with torch.no_grad():
            for place, tensor in enumerate(self.average):
                tensor.copy_(like(tensor, state.tensors[str(place)]))

    def stay(self) -> None:
        """Put the average into the module for good."""
        self._copy(self.average)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the average into the module for a while."""
        kept = [parameter.detach().clone() for parameter in self.parameters]
        self._copy(self.average)
        try:
            yield
        finally:
            self._copy(kept)

    def _copy(self, values: list[torch.Tensor]) -> None:
        with torch.no_grad():
            for parameter, value in zip(self.parameters, values, strict=True):
                parameter.copy_(value)
