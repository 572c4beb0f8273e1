"""Relevancy: attention weighed by how much the answer depends on it, layer after layer.

Source: Chefer, Gur and Wolf, Generic attention-model explainability for interpreting bi-modal and encoder-decoder
transformers, ICCV 2021, equations 5 and 6: ``Ā = mean over heads of (∇A ⊙ A)⁺`` and ``R ← R + Ā R``. All carriers lie
on one axis here, so that equation 6 also holds for attention from one stream to another; the paper's own rules for
that (equations 8 to 10) normalise what each stream has gathered before, and give other numbers.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from radvqa.explaining.attention.step import Carriers, Step, started


def relevancy(
    steps: Sequence[Step],
    gradients: Sequence[Tensor | None],
    carriers: Carriers,
    told: Tensor,
    *,
    encoder: bool = False,
) -> Tensor:
    """Relevance of each carrier for what is told, ``(a,)``, the answer's own carriers not counted.

    Only the row of the answer is needed, so that it is followed from the top to the bottom: ``a`` numbers instead of
    ``a²``.

    Args:
        steps: from the bottom to the top.
        gradients: of the answer's log-probability by the weights of each step; None where it does not depend on them.
        carriers: the axis.
        told: carriers that tell what is explained.
        encoder: follow it through the image encoder's own layers too; see ``RolloutOptions``.
    """
    row = started(carriers, told)
    begun = row.clone()
    for step, gradient in zip(reversed(steps), reversed(gradients), strict=True):
        if step.stack == "vision" and not encoder:
            break
        if not step.residual:  # made anew: what it was made of takes over what it gathered
            weights = step.weights.detach()[0]
            handed = row[step.looking] @ weights
            row = row.index_fill(0, step.looking, 0).index_add(0, step.looked_at, handed)
        elif gradient is not None:
            weights = (step.weights.detach() * gradient).clamp(min=0).mean(0)
            row = row.index_add(0, step.looked_at, row[step.looking] @ weights)
    return torch.where(begun > 0, row - begun, row)
