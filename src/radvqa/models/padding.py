"""Token lists of different lengths side by side; a tokeniser never pads."""

from collections.abc import Sequence

import torch
from torch import Tensor


def pad(rows: Sequence[Sequence[int]], filler: int, *, left: bool = False) -> tuple[Tensor, Tensor]:
    """Lay token lists of different lengths side by side.

    Args:
        rows: ``b`` lists.
        filler: stands on padding.
        left: pad before the tokens instead of after them.

    Returns:
        tokens ``(b, l)`` and which of them are real ``(b, l)``.
    """
    longest = max(map(len, rows), default=0)
    tokens = torch.full((len(rows), longest), filler, dtype=torch.long)
    real = torch.zeros((len(rows), longest), dtype=torch.bool)
    for place, row in enumerate(rows):
        span = slice(longest - len(row), longest) if left else slice(0, len(row))
        tokens[place, span] = torch.tensor(list(row), dtype=torch.long)
        real[place, span] = True
    return tokens, real
