"""A part of the engine whose state is another one in every process; the main process keeps all of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from radvqa.training.state import State, Stateful

Sent = tuple[bytes, Mapping[str, Any]]
"""A state on its way: tensors in the bytes of a safetensors file, and plain values."""


class OfEach:
    """The states of one part in all processes, as one state.

    Args:
        part: of this process.
        index: of this process.
        gather: returns everybody's values, in the order of the processes.
    """

    def __init__(self, part: Stateful, index: int, gather: Callable[[Sequence[Sent]], list[Sent]]) -> None:
        self._part, self._index, self._gather = part, index, gather

    def state(self) -> State:
        """All of them; all processes ask at the same time."""
        from safetensors.torch import load as from_bytes
        from safetensors.torch import save as to_bytes

        own = self._part.state()
        gathered = self._gather([(to_bytes(dict(own.tensors)), own.plain)])
        tensors = {f"{n}/{name}": t for n, (sent, _) in enumerate(gathered) for name, t in from_bytes(sent).items()}
        return State(tensors, {"of_each": [dict(plain) for _, plain in gathered]})

    def load(self, state: State) -> None:
        """Go on from this process's own."""
        place = f"{self._index}/"
        own = {name.removeprefix(place): t for name, t in state.tensors.items() if name.startswith(place)}
        self._part.load(State(own, state.plain["of_each"][self._index]))
