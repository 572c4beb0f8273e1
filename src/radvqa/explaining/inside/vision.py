"""Image encoders, seen by Grad-CAM and by rollout."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from radvqa.explaining.attention.step import Step
from radvqa.explaining.inside.opened import Features, last_block
from radvqa.models.vision import VisionTower, feature_sizes


def square(patches: int) -> tuple[int, int]:
    """Rows and columns of so many patches in a square."""
    side = round(patches**0.5)
    return side, side


def patches_of(tower: VisionTower, side: int) -> int:
    """Patches of a picture of ``side`` pixels: by the configuration where it tells, else by looking at one."""
    size = getattr(getattr(tower.model, "config", None), "patch_size", None)
    return (side // size) ** 2 if isinstance(size, int) else feature_sizes(tower, side)[0]


def tower_features(tower: VisionTower, side: int) -> Features:
    """Of a transformer what goes into its last block, which a class token reads too; of a convolutional net its map."""
    block = last_block(tower.model)
    if block is None:
        return Features(tower.model, "output")
    return Features(block, "input", square(patches_of(tower, side)))


class VisionSteps:
    """Self-attention of an image encoder whose carriers are patches and what stands before them.

    Args:
        patches: carriers, ``(n,)``.
        before: carriers of tokens that may stand before the patches; as many of them as there are are used.
    """

    def __init__(self, patches: Tensor, before: Tensor) -> None:
        self.patches, self.before = patches, before

    def steps(self, name: str, weights: Tensor) -> Iterator[Step]:
        """One step; none where the attention is of another shape (windows, poolers)."""
        if weights.ndim != 4 or weights.shape[-1] != weights.shape[-2]:
            return
        first = weights.shape[-1] - len(self.patches)
        if not 0 <= first <= len(self.before):
            return
        places = torch.cat([self.before[:first], self.patches])
        yield Step(name, "vision", weights[0], places, places, captured=weights)


def shape_of(features: Any, captured: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Patches of captured features, ``(b, n, d)``, and their grid.

    Args:
        features: where they passed.
        captured: ``(b, d, rows, columns)`` of a convolutional net, or ``(b, tokens, d)``.
    """
    if captured.ndim == 4:
        return captured.flatten(2).transpose(1, 2), (captured.shape[2], captured.shape[3])
    grid = features.grid or square(captured.shape[1])
    patches = grid[0] * grid[1]
    return captured[:, captured.shape[1] - patches :], grid


def output_of(returned: Any) -> Tensor:
    """The features in what an encoder returns: a tensor, the last states, or the first of several."""
    if isinstance(returned, Tensor):
        return returned
    states = getattr(returned, "last_hidden_state", None)
    if states is not None:
        return states if isinstance(states, Tensor) else states[0]
    first: Tensor = returned[0]
    return first


def input_of(module: nn.Module, args: Sequence[Any], kwargs: dict[str, Any]) -> Tensor:
    """The states that go into a block, by place or by name."""
    if args:
        found: Tensor = args[0]
        return found
    named = kwargs.get("hidden_states")
    if not isinstance(named, Tensor):
        raise TypeError(f"{type(module).__name__} is given its states in an unknown way")
    return named
