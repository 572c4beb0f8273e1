"""Adam over the parts that learn, each at its own rate; its moments are kept and put back by parameter name."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from radvqa.errors import RecipeError, nearest
from radvqa.recipe.learning import LearningSection
from radvqa.training.sharded import like, whole
from radvqa.training.state import State

Parts = Mapping[str, Sequence[tuple[str, nn.Parameter]]]
"""What learns, by part: names and parameters."""


def require_learning(learned: Parts, learning: LearningSection, place: str) -> None:
    """Refuse a rate of a part that does not learn.

    Raises:
        RecipeError: names the part.
    """
    for part in learning.learning_rates:
        if part not in learned:
            raise RecipeError(
                f"{place}: learning_rates: the part {part!r} does not learn here; {nearest(part, list(learned))}"
            )


class PartOptimizer:
    """The optimiser of a stage.

    Args:
        learned: what learns, by part.
        learning: kind, peak rates and weight decay.
        place: of the stage, for messages.

    Raises:
        RecipeError: for the rate of a part that does not learn.
    """

    def __init__(self, learned: Parts, learning: LearningSection, place: str) -> None:
        require_learning(learned, learning, place)
        self._peaks = [learning.learning_rates.get(part, learning.learning_rate) for part in learned]
        self.parts = list(learned)
        groups = [
            {"params": [parameter for _, parameter in named], "lr": peak}
            for named, peak in zip(learned.values(), self._peaks, strict=True)
        ]
        kind = torch.optim.Adam if learning.optimizer == "adam" else torch.optim.AdamW
        self.inner: torch.optim.Optimizer = kind(groups, weight_decay=learning.weight_decay, fused=True)
        self.named = {name: parameter for named in learned.values() for name, parameter in named}

    @property
    def parameters(self) -> list[nn.Parameter]:
        """What learns."""
        return list(self.named.values())

    def rates(self) -> dict[str, float]:
        """The present learning rate of each part."""
        return {part: group["lr"] for part, group in zip(self.parts, self.inner.param_groups, strict=True)}

    def set_rate(self, share: float) -> None:
        """Set the learning rates to a share of their peaks."""
        for group, peak in zip(self.inner.param_groups, self._peaks, strict=True):
            group["lr"] = peak * share

    def take_over(self, other: "PartOptimizer") -> None:
        """Go on with another optimiser's moments of what learns in both."""
        for name, parameter in self.named.items():
            if name in other.named and other.named[name] in other.inner.state:
                moments = other.inner.state[other.named[name]]
                self.inner.state[parameter] = {key: value.clone() for key, value in moments.items()}

    def state(self) -> State:
        """Moments and step counts by parameter name."""
        tensors: dict[str, Tensor] = {}
        for name, parameter in self.named.items():
            for key, value in self.inner.state.get(parameter, {}).items():
                tensors[f"{name}|{key}"] = whole(value).detach().cpu().clone()
        return State(tensors)

    def load(self, state: State) -> None:
        """Put them back."""
        self.inner.state.clear()
        for place, tensor in state.tensors.items():
            name, _, key = place.rpartition("|")
            parameter = self.named[name]
            self.inner.state[parameter][key] = like(parameter, tensor.to(parameter.device).clone())
