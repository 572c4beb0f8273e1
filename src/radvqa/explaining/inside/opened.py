"""The seam for models that are explained: what every method asks of one.

Letters: ``b`` changed copies of one picture, ``s`` × ``w`` pixels of what the model reads, ``t`` tokens of the answer,
``n`` patches, ``d`` their size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from radvqa.data.store import Resizing
from radvqa.explaining.attention.step import Carriers, Step
from radvqa.explaining.said import Said


@dataclass(frozen=True)
class Features:
    """Where in a model the picture's features pass, for Grad-CAM.

    Attributes:
        module: that they pass.
        at: what goes into it, or what comes out.
        grid: rows and columns of the patches, which stand last; None where the map's own shape tells them.
    """

    module: nn.Module
    at: Literal["input", "output"]
    grid: tuple[int, int] | None = None


class Mixing(Protocol):
    """Turns captured attention into steps; one for each pass through the model, because it counts what came."""

    @property
    def carriers(self) -> Carriers:
        """The axis."""
        ...

    @property
    def stack(self) -> str:
        """In which the answer is told."""
        ...

    def steps(self, name: str, weights: Tensor) -> Iterable[Step]:
        """What is now known to be mixed, from the bottom to the top.

        Args:
            name: of the module that attends.
            weights: ``(b, h, q, k)`` or ``(b, h, k)``; the first of the batch is meant.
        """
        ...

    def finish(self) -> Iterable[Step]:
        """What is left when the pass is over."""
        ...


class Opened(Protocol):
    """A model opened for one picture, one question, and the answer that it gave.

    Attributes:
        said: the answer.
        asked: the question's words or tokens as the model reads them, ``l`` of them.
        module: everything with parameters.
        resizing: of pictures to what is read.
    """

    said: Said
    asked: tuple[str, ...]
    module: nn.Module
    resizing: Resizing

    @property
    def features(self) -> Features | None:
        """Where the picture's features pass; None where there is no such place."""
        ...

    def log_probabilities(self, values: Tensor) -> Tensor:
        """Log-probability of each token of the answer, ``(b, t)``; differentiable by the pixels.

        Args:
            values: pixels in [0, 255] as resized, ``(b, s, w, 3)``.
        """
        ...

    def mixing(self) -> Mixing | None:
        """How attention mixes; None where no attention looks from the question to the picture."""
        ...


@runtime_checkable
class Blames(Protocol):
    """A model that says why attention methods do not apply to it."""

    @property
    def why_no_attention(self) -> str:
        """A sentence."""
        ...


def read_pixels(resizing: Resizing, pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Resize pictures as the model does, ``(b, s, w, 3)``, in [0, 255].

    Args:
        resizing: of the model.
        pictures: of one size, ``(rows, columns)`` or with colours.
    """
    resized = [resizing.apply(picture) for picture in pictures]
    colour = [np.stack([one] * 3, -1) if one.ndim == 2 else one for one in resized]
    return torch.from_numpy(np.stack(colour)).float()


def last_block(vision: nn.Module) -> nn.Module | None:
    """The last block of a transformer's largest stack; None where there is no stack, as in convolutional nets."""
    stacks: list[Any] = [part for part in vision.modules() if isinstance(part, nn.ModuleList) and _transforms(part)]
    if not stacks:
        return None
    largest = max(stacks, key=lambda stack: sum(p.numel() for p in stack.parameters()))
    block: nn.Module = largest[-1]
    return block


def _transforms(stack: nn.ModuleList) -> bool:
    """Whether a list holds equal blocks with attention."""
    kinds = {type(block) for block in stack}
    return len(kinds) == 1 and any("attention" in type(part).__name__.lower() for part in stack.modules())
