"""Which parts of a model learn now; the others keep still, and are kept with the rest."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import nn

from radvqa.errors import RecipeError, nearest
from radvqa.models.family import VqaModel


class Learnable:
    """Lets parts of a model learn, out of what it was built to learn in any stage.

    Args:
        model: as it was built.
    """

    def __init__(self, model: VqaModel) -> None:
        self._model = model
        self.parameters = {name: p for name, p in model.module.named_parameters() if p.requires_grad}
        self._still: list[nn.Module] = []

    def only(self, modes: Mapping[str, str], place: str) -> None:
        """Let the named parts learn or not, and all others as they were built.

        Args:
            modes: part → ``frozen`` or how it learns.
            place: of the stage, for messages.

        Raises:
            RecipeError: for an unknown part, one that was built frozen, and when nothing is left to learn.
        """
        parts = self._model.parts
        for part, mode in modes.items():
            if part not in parts:
                raise RecipeError(f"{place}: train: there is no part {part!r}; {nearest(part, list(parts))}")
            if mode != "frozen" and not self._of(parts[part]):
                raise RecipeError(
                    f"{place}: train: {part} was built frozen by the model's options; let it learn there."
                )
        frozen = [parts[part] for part, mode in modes.items() if mode == "frozen"]
        still = {id(p) for module in frozen for p in module.parameters()}
        for parameter in self.parameters.values():
            parameter.requires_grad_(id(parameter) not in still)
            parameter.grad = None
        self._still = frozen
        if not any(parameter.requires_grad for parameter in self.parameters.values()):
            raise RecipeError(f"{place}: nothing is learned in this stage; let one part learn.")

    def train(self) -> None:
        """Put the model into training mode, except for what keeps still."""
        self._model.module.train()
        for module in self._still:
            module.eval()

    @contextmanager
    def everything(self) -> Iterator[None]:
        """Let everything learn for a while, so that all that any stage learned is kept or put back."""
        # by name: where weights are spread over processes, others stand in their place while they are gathered
        present = dict(self._model.module.named_parameters())
        now = {name: present[name].requires_grad for name in self.parameters}
        for name in now:
            present[name].requires_grad_(True)
        try:
            yield
        finally:
            for name, learned in now.items():
                present[name].requires_grad_(learned)

    def restore(self) -> None:
        """Let everything learn that was built to."""
        for parameter in self.parameters.values():
            parameter.requires_grad_(True)

    def by_part(self) -> dict[str, list[tuple[str, nn.Parameter]]]:
        """What learns now, by part; ``rest`` is in none."""
        home = {id(p): part for part, module in self._model.parts.items() for p in module.parameters()}
        found: dict[str, list[tuple[str, nn.Parameter]]] = {}
        for name, parameter in self.parameters.items():
            if parameter.requires_grad:
                found.setdefault(home.get(id(parameter), "rest"), []).append((name, parameter))
        return found

    def _of(self, module: nn.Module) -> bool:
        own = {id(parameter) for parameter in module.parameters()}
        return any(id(parameter) in own for parameter in self.parameters.values())
