"""Where each patch lies, as numbers that a net can read."""

import torch
from torch import Tensor

_WAVES = (1.57, 3.14, 6.28)  # radians across half a picture

WIDTH = 4 * len(_WAVES) + 2
"""Numbers a patch."""


def waves(side: int) -> Tensor:
    """Coordinates in [-1, 1] of a square grid's patches, row by row, and their sines and cosines: ``(side², WIDTH)``.

    Source: the Fourier features of Vaswani et al., NeurIPS 2017, over two axes.
    """
    down, across = torch.meshgrid(torch.linspace(-1, 1, side), torch.linspace(-1, 1, side), indexing="ij")
    turned = [wave(axis * k) for axis in (across, down) for k in _WAVES for wave in (torch.sin, torch.cos)]
    return torch.stack([*turned, across, down], -1).flatten(0, 1)
