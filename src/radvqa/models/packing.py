"""Short texts side by side in one row, blind to each other, so that what a row attends to is computed once.

A row that holds all texts about a picture reads the picture's keys and values once for all of them; masks and
explicit positions keep every text as it would be alone. That is exact, and little is padded.

Letters: ``m`` rows, ``w`` their width, ``t`` tokens of all texts, ``q`` and ``k`` tokens that look and are looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

import torch
from torch import Tensor

NOBODY = -1
"""Owner of padding."""


@dataclass(frozen=True)
class Packed:
    """Texts in rows.

    Attributes:
        tokens: ``(m, w)``.
        owner: which text each token belongs to, ``NOBODY`` on padding; ``(m, w)``.
        positions: of each token in its own text, ``(m, w)``.
        places: where the tokens lie in the flattened rows, text by text; ``(t,)``.
    """

    tokens: Tensor
    owner: Tensor
    positions: Tensor
    places: Tensor


def pack(texts: Sequence[Sequence[int]], rows: Sequence[int], count: int, filler: int, device: torch.device) -> Packed:
    """Lay texts into rows.

    Args:
        texts: their tokens.
        rows: the row of each text.
        count: number of rows.
        filler: stands on padding.
        device: where they are wanted.
    """
    filled = [0] * count
    starts = []
    for text, row in zip(texts, rows, strict=True):
        starts.append(filled[row])
        filled[row] += len(text)
    width = max(filled, default=0)
    lengths = torch.tensor([len(text) for text in texts], dtype=torch.long)
    owner = torch.repeat_interleave(torch.arange(len(texts)), lengths)
    begins = torch.tensor([0, *accumulate(lengths.tolist())][:-1], dtype=torch.long)
    positions = torch.arange(len(owner)) - begins[owner]
    places = torch.tensor([row * width + start for row, start in zip(rows, starts, strict=True)])[owner] + positions
    tokens = torch.tensor(list(chain.from_iterable(texts)), dtype=torch.long)

    def laid(values: Tensor, padding: int) -> Tensor:
        flat = torch.full((count * width,), padding, dtype=torch.long)
        flat[places] = values
        return flat.view(count, width).to(device)

    return Packed(laid(tokens, filler), laid(owner, NOBODY), laid(positions, 0), places.to(device))


def additive(visible: Tensor) -> Tensor:
    """Turn what may be seen, ``(m, q, k)``, into what attention adds to its scores, ``(m, 1, q, k)``."""
    mask = torch.zeros(visible.shape, device=visible.device)
    return mask.masked_fill(~visible, torch.finfo(mask.dtype).min)[:, None]


def same(looking: Tensor, looked_at: Tensor) -> Tensor:
    """Which tokens belong together, ``(m, q)`` and ``(m, k)`` → ``(m, q, k)``; padding sees padding alone."""
    return looking[:, :, None] == looked_at[:, None, :]
