"""What a part of the engine needs to go on where it was: tensors and plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor


@dataclass(frozen=True)
class State:
    """The state of one part.

    Attributes:
        tensors: by name.
        plain: values that JSON can hold exactly.
    """

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    plain: Mapping[str, Any] = field(default_factory=dict)


class Stateful(Protocol):
    """Something whose state is in every snapshot; together they are all that decides how a training goes on."""

    def state(self) -> State:
        """What it needs to go on."""
        ...

    def load(self, state: State) -> None:
        """Go on from there."""
        ...
