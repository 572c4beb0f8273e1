"""Attention captured while it is computed, and only while it is asked for.

Attention is computed in many places: by fused kernels, by plain products, inside ``transformers`` and here. All of them
come to ``softmax`` or ``scaled_dot_product_attention``, and both are seen by a mode of torch that lasts for one
block. Nothing is written to disk, no model is changed, and after the block nothing is left. A kernel that torch does
not see (flash attention by its own package) is switched to torch's own for the block, and back.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Seen = Callable[[str, Tensor], None]
"""Gets the name of the module that attends and its weights, ``(b, h, q, k)`` or ``(b, h, k)``."""

_SOFTMAX = (torch.softmax, F.softmax, Tensor.softmax)
_FEWEST_AXES = 3
_UNSEEN = ("flash_attention_2", "flash_attention_3", "flex_attention")


class _Mode(TorchFunctionMode):
    def __init__(self, running: list[str], seen: Seen) -> None:
        super().__init__()
        self._running, self._seen = running, seen

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result: Any
        if func is F.scaled_dot_product_attention:
            weights, values = _attention(*args, **kwargs)
            self._tell(weights)
            return torch.matmul(weights.to(values.dtype), values)
        result = func(*args, **kwargs)
        if func in _SOFTMAX and isinstance(result, Tensor) and result.ndim >= _FEWEST_AXES:
            self._tell(result)
        return result

    def _tell(self, weights: Tensor) -> None:
        if self._running:
            self._seen(self._running[-1], weights)


@contextmanager
def watching(module: nn.Module, seen: Seen) -> Iterator[None]:
    """Hand over all attention that a model computes in the block; gradients flow through what is handed over.

    Args:
        module: the model.
        seen: called once for each attention, in the order of computing.
    """
    running: list[str] = []

    def enter(name: str) -> Callable[..., None]:
        return lambda *_: running.append(name)

    def leave(*_: Any) -> None:
        running.pop()

    handles = []
    for name, part in module.named_modules():
        handles.append(part.register_forward_pre_hook(enter(name)))
        handles.append(part.register_forward_hook(leave, always_call=True))
    try:
        with _seen_by_torch(module), _Mode(running, seen):
            yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _seen_by_torch(module: nn.Module) -> Iterator[None]:
    """Switch kernels that torch does not see to torch's own, and back."""
    unseen: list[tuple[Any, str]] = []
    part: Any
    for part in module.modules():
        config = getattr(part, "config", None)
        kernel = getattr(config, "_attn_implementation", None)
        if kernel in _UNSEEN and hasattr(part, "set_attn_implementation"):
            unseen.append((part, str(kernel)))
            part.set_attn_implementation("sdpa")
    try:
        yield
    finally:
        for part, kernel in unseen:
            part.set_attn_implementation(kernel)


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> tuple[Tensor, Tensor]:
    """Weights of scaled dot-product attention, ``(…, q, k)``, and the values that they weigh."""
    if enable_gqa and key.shape[-3] != query.shape[-3]:
        times = query.shape[-3] // key.shape[-3]
        key, value = key.repeat_interleave(times, -3), value.repeat_interleave(times, -3)
    scores = query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        earlier = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        scores = scores.masked_fill(~earlier, float("-inf"))
    if attn_mask is not None:
        hidden = attn_mask.dtype == torch.bool
        scores = scores.masked_fill(~attn_mask, float("-inf")) if hidden else scores + attn_mask
    return scores.float().softmax(-1), value  # the mode does not see what it does itself


def attention_bytes(steps: Sequence[tuple[int, int, int]], *, with_gradients: bool) -> int:
    """Bytes that attention takes at most while it is captured.

    Args:
        steps: heads, rows and columns of each layer.
        with_gradients: every layer's weights and their gradients are kept until the end (relevancy); else one layer is
            folded after the other (raw attention, rollout) and only the largest counts.
    """
    each = [4 * heads * rows * columns for heads, rows, columns in steps]
    return 2 * sum(each) if with_gradients else max(each, default=0)
