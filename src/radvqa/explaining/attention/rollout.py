"""Attention rollout: attention of all layers multiplied, the way that states take through residual layers.

Source: Abnar and Zuidema, Quantifying attention flow in transformers, ACL 2020. The row that is read is the one of the
answer's token, so that the map depends on question and answer (a map of the picture's own rows, as some tools draw it,
cannot: pictures come before questions).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from radvqa.explaining.attention.step import Carriers, Step, fused


@dataclass(frozen=True)
class RolloutOptions:
    """How attention is rolled out.

    Attributes:
        fusion: of the heads: mean, min or max.
        discard: share of the smallest weights of each layer that count as nothing, in [0, 1).
        encoder: trace patches through the image encoder's own layers too. Encoders of our day gather what is common
            to a picture in a few background patches (Darcet et al., Vision transformers need registers, ICLR 2024), and
            rollout then ends there; so patches as the encoder hands them over are where it ends by default.
        start: so many first layers of what is traced are left out.
    """

    fusion: str = "mean"
    discard: float = 0.0
    encoder: bool = False
    start: int = 0


_PLAIN = RolloutOptions()


class Rollout:
    """Multiplies steps as they come, so that no attention need be kept: ``a²`` numbers, whatever the depth.

    Args:
        carriers: the axis.
        options: of it.
    """

    def __init__(self, carriers: Carriers, options: RolloutOptions = _PLAIN) -> None:
        if not 0 <= options.discard < 1:
            raise ValueError(f"a share in [0, 1) of the weights can be left out, not {options.discard}")
        self.options = options
        self.traced = torch.eye(carriers.count, device=carriers.told.device)
        self._seen = 0

    def add(self, step: Step) -> None:
        """Take the next step, from the bottom to the top.

        With ``A`` the joined heads and ``R`` what is traced so far, the rows that look become ``½ (R + A R)``: half of
        a state is its own and half is what it sees; carriers that are made anew become ``A R``.
        """
        if step.stack == "vision" and not self.options.encoder:
            return
        if step.residual:
            self._seen += 1
            if self._seen <= self.options.start:
                return
        weights = fused(step.weights.detach().float(), self.options.fusion)
        weights = _kept(weights, self.options.discard)
        weights = weights / weights.sum(1, keepdim=True).clamp(min=1e-12)
        seen = weights @ self.traced[step.looked_at]
        self.traced[step.looking] = 0.5 * (self.traced[step.looking] + seen) if step.residual else seen


def rollout(steps: Sequence[Step], carriers: Carriers, told: Tensor, options: RolloutOptions = _PLAIN) -> Tensor:
    """Share of each carrier in what is told, ``(a,)``; the shares sum to 1.

    Args:
        steps: from the bottom to the top.
        carriers: the axis.
        told: carriers that tell what is explained.
        options: of it.
    """
    rolled = Rollout(carriers, options)
    for step in steps:
        rolled.add(step)
    return rolled.traced[told].mean(0)


def _kept(weights: Tensor, discard: float) -> Tensor:
    """Leave the smallest weights of a layer out, the same share of all rows together; each row keeps its largest."""
    dropped = int(discard * weights.numel())
    if not dropped:
        return weights
    smallest = weights.flatten().topk(dropped, largest=False).indices
    kept = weights.flatten().clone()
    kept[smallest] = 0
    kept = kept.view_as(weights)
    largest = weights == weights.amax(1, keepdim=True)
    return torch.where(largest, weights, kept)
