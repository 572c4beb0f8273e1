"""What co-attention looks at, computed from pixels instead of from what is stored."""

from typing import Any

from torch import Tensor


def seen_from(seeing: Any, values: Tensor) -> tuple[Tensor, Tensor]:
    """What co-attention looks at, from pixels: patches ``(b, n, d)`` and pictures ``(b, p)``."""
    tokens, pooled = seeing.vision.tokens(values)
    found: tuple[Tensor, Tensor] = seeing.lay_out(tokens, pooled, differentiable=True)
    return found
