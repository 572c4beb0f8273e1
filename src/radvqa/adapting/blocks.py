"""A vision transformer cut in two: what lies below the last blocks is computed once, the last blocks learn.

Letters: ``b`` pictures, ``s`` side in pixels, ``t`` tokens, ``n`` patches, ``d`` feature size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from radvqa import console
from radvqa.data.store import ImageStore
from radvqa.errors import RecipeError, WeightsError
from radvqa.models.vision import VisionTower

KINDS = ("dinov2", "dinov2_with_registers")

_PICTURES_PER_PASS = 16


@dataclass(frozen=True)
class Remembered:
    """What the encoder made of pictures before anything was learned, in half precision.

    Attributes:
        states: that enter the last blocks, ``(b, t, d)``.
        patches: patch features, ``(b, n, d)``.
        pooled: class token and mean over patches, ``(b, 2d)``, in single precision.
    """

    states: Tensor
    patches: Tensor
    pooled: Tensor


class LastBlocks(nn.Module):
    """The last blocks of a tower and its final norm; the tower's other weights are frozen.

    Args:
        tower: with the pooling ``cls+mean``.
        count: of blocks that learn.

    Raises:
        WeightsError: for an encoder of another kind.
        RecipeError: when it has fewer blocks.
    """

    def __init__(self, tower: VisionTower, count: int) -> None:
        super().__init__()
        model = cast("Any", tower.model)
        kind = getattr(getattr(model, "config", None), "model_type", "unknown")
        if kind not in KINDS:
            raise WeightsError(
                f"{tower.spec.name} is an encoder of the kind {kind!r}; `radvqa adapt vision` trains "
                f"{' or '.join(map(repr, KINDS))}."
            )
        whole: Sequence[nn.Module] = model.encoder.layer
        if count > len(whole):
            raise RecipeError(f"blocks={count}, but {tower.spec.name} has {len(whole)}.")
        tower.requires_grad_(False)
        self.blocks = nn.ModuleList(whole[-count:])
        self.norm: nn.Module = model.layernorm
        self.requires_grad_(True)

    def forward(self, states: Tensor, patches: int) -> tuple[Tensor, Tensor]:
        """Return patch features ``(b, n, d)`` and one vector a picture ``(b, 2d)``, as the tower does.

        Args:
            states: that enter the blocks, ``(b, t, d)``.
            patches: how many of the tokens, at the end, are patches, ``n``.
        """
        for block in self.blocks:
            states = block(states)
        states = self.norm(states)
        found = states[:, -patches:]
        return found, torch.cat([states[:, 0], found.mean(1)], 1)


def remember(tower: VisionTower, last: LastBlocks, store: ImageStore, keys: Sequence[str], autocast: Any) -> Remembered:
    """Pass pictures through the tower once.

    Args:
        tower: as it was loaded.
        last: its last blocks.
        store: holds the pictures.
        keys: of the pictures.
        autocast: precision of matrix products, a context.
    """
    entering: list[Tensor] = []

    def note(block: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        entering.append(inputs[0].to("cpu", torch.float16))

    patches: list[Tensor] = []
    pooled: list[Tensor] = []
    hook = last.blocks[0].register_forward_pre_hook(note)
    tower.eval()
    try:
        with torch.inference_mode(), autocast, console.progress("encoding pictures", len(keys)) as advance:
            for start in range(0, len(keys), _PICTURES_PER_PASS):
                part = keys[start : start + _PICTURES_PER_PASS]
                found, vectors = tower.tokens(torch.from_numpy(store.batch(part)).to(tower.mean.device))
                patches.append(found.to("cpu", torch.float16))
                pooled.append(vectors.to("cpu", torch.float32))
                advance(len(part))
    finally:
        hook.remove()
    # a copy that is no inference tensor, so that gradients may flow from it
    return Remembered(*(torch.cat(held).clone() for held in (entering, patches, pooled)))
