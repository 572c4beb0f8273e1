"""Counting floating-point operations of a training step, without changing what the step computes.

A multiplication and an addition count as two. Counted are matrix products, convolutions, attention and recurrent
layers, forward and backward; sums, activations, normalisation and the optimiser are not, as is usual (Kaplan et al.,
2020, appendix B). What gradient checkpointing computes twice counts twice.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

Shape = Sequence[int]


class Counted:
    """The number of operations inside ``count_flops``.

    Attributes:
        flops: 0 until the block has ended.
    """

    flops: int = 0


@contextmanager
def count_flops() -> Iterator[Counted]:
    """Count the operations of what runs inside, on this thread and in its backward passes.

    Code compiled by ``torch.compile`` is not seen: count before compiling.
    """
    counted = Counted()
    with FlopCounterMode(display=False, custom_mapping=_FORMULAS) as counter:
        yield counted
    counted.flops = int(counter.get_total_flops())


def _rows(sequence: Shape) -> int:
    """Steps in time of all sequences: of ``(t, b, features)``, or of packed ``(sum of lengths, features)``."""
    return prod(sequence[:-1])


def _recurrent(sequence: Shape, weights: Sequence[Shape]) -> int:
    """Every step in time multiplies with every weight matrix of every layer and direction."""
    return sum(2 * _rows(sequence) * prod(weight) for weight in weights if len(weight) == 2)


def _mkldnn_rnn(sequence: Shape, from_input: Shape, from_state: Shape, *_: Any, **__: Any) -> int:
    return _recurrent(sequence, (from_input, from_state))


def _mkldnn_rnn_backward(sequence: Shape, from_input: Shape, from_state: Shape, *_: Any, **__: Any) -> int:
    return 2 * _recurrent(sequence, (from_input, from_state))  # gradients of the inputs, and of the weights


def _cudnn_rnn(sequence: Shape, weights: Sequence[Shape], *_: Any, **__: Any) -> int:
    return _recurrent(sequence, weights)


def _cudnn_rnn_backward(sequence: Shape, weights: Sequence[Shape], *others: Any, **__: Any) -> int:
    of_weights = bool(others[-1][3])  # the last argument says which gradients are wanted
    return (1 + of_weights) * _recurrent(sequence, weights)


def _attention(query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
    return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]


def _attention_backward(grad: Shape, query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
    return int(sdpa_backward_flop_count(grad, query, key, value))  # type: ignore[no-untyped-call]


_FORMULAS: dict[Any, Callable[..., int]] = {
    torch.ops.aten.mkldnn_rnn_layer: _mkldnn_rnn,
    torch.ops.aten.mkldnn_rnn_layer_backward: _mkldnn_rnn_backward,
    torch.ops.aten._cudnn_rnn: _cudnn_rnn,
    torch.ops.aten._cudnn_rnn_backward: _cudnn_rnn_backward,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}
"""What ``FlopCounterMode`` does not know by itself: recurrent layers, and attention on CPUs."""
