"""Whether a map depends on what it is said to depend on: the model's weights, and the question.

Source: Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018: weights are made random from the top down, and a
map that stays as it was explains the picture, not the model.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from radvqa.explaining.heat import Heat, averaged, is_flat

SAME = 0.8
"""Rank correlation above which two maps count as the same."""
_CELLS = 16


def alike(one: Heat, other: Heat) -> float:
    """Rank correlation (Spearman) of two maps of one size, in [-1, 1]; 1 where both are flat, 0 where one is.

    Maps are compared on a grid of 16 × 16, so that neighbouring pixels do not count as many.
    """
    from scipy.stats import spearmanr

    if is_flat(one) or is_flat(other):
        return 1.0 if is_flat(one) and is_flat(other) else 0.0
    coarse, others = (averaged(each, _CELLS, _CELLS).ravel() for each in (one, other))
    found = float(spearmanr(coarse, others).statistic)
    return found if np.isfinite(found) else 0.0


@contextmanager
def made_random(module: nn.Module, share: float, seed: int = 0) -> Iterator[None]:
    """Make the last ``share`` of a model's weights random for the block, and bring them back.

    Every tensor keeps its mean and spread, so that states keep their scale. Tensors are taken in the order in which the
    model names them, which is from the picture to the answer.

    Args:
        module: the model.
        share: of the tensors, counted from the top; 1 is all.
        seed: of the random numbers.
    """
    named = [parameter for parameter in module.parameters() if parameter.numel() > 1]
    chosen = named[len(named) - round(share * len(named)) :]
    kept = [parameter.detach().clone() for parameter in chosen]
    generator = torch.Generator().manual_seed(seed)
    try:
        with torch.no_grad():
            for parameter in chosen:
                spread = float(parameter.float().std()) if parameter.numel() > 1 else 0.0
                noise = torch.randn(parameter.shape, generator=generator) * spread + float(parameter.float().mean())
                parameter.copy_(noise.to(parameter.device, parameter.dtype))
        yield
    finally:
        with torch.no_grad():
            for parameter, before in zip(chosen, kept, strict=True):
                parameter.copy_(before)
