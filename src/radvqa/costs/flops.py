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
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map
from torch.utils.flop_counter import flop_registry

Shape = Sequence[int]


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every operation before its device does, counts it, and lets it run as it is.

    The formulas are those of PyTorch's ``FlopCounterMode``. That class itself is not used: it takes some operations
    apart (the gradient of SiLU), and so changes the last bits of what a step computes.
    """

    supports_higher_order_operators = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and add what it takes."""
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        formula = _FORMULAS.get(getattr(func, "_overloadpacket", func))
        if formula is not None:
            self.flops += int(formula(*args, **kwargs, out_val=out))
        return out


@contextmanager
def count_flops() -> Iterator[Counter]:
    """Count the operations of what runs inside, in its backward passes too.

    Code compiled by ``torch.compile`` is not seen: count before compiling.
    """
    with Counter() as counter:
        yield counter


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
    """Scores, and their product with the values, in every head of the queries; masked places are computed too."""
    return 2 * prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _attention_backward(grad: Shape, query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
    """Scores once more, then the gradients of scores, values, queries and keys."""
    return 2 * prod(query[:-1]) * key[-2] * (3 * query[-1] + 2 * value[-1])


def _linear(rows: Shape, weight: Shape, *_: Any, **__: Any) -> int:
    return 2 * prod(rows) * weight[0]


def _matmul(left: Shape, right: Shape, *_: Any, out_shape: Shape, **__: Any) -> int:
    return 2 * prod(out_shape) * left[-1]


def _convolution(picture: Shape, weight: Shape, *_: Any, out_shape: Shape, **__: Any) -> int:
    return 2 * prod(out_shape) * prod(weight[1:])


def _by_shapes(formula: Callable[..., int]) -> Callable[..., int]:
    """Give a formula the shapes of its operation's tensors, and that of the first result as ``out_shape``."""

    def of_tensors(*args: Any, out_val: Any, **kwargs: Any) -> int:
        shapes, named = tree_map(_shape, (args, kwargs))
        first = out_val[0] if isinstance(out_val, list | tuple) else out_val
        return formula(*shapes, out_shape=_shape(first), **named)

    return of_tensors


def _shape(value: Any) -> Any:
    return value.shape if isinstance(value, torch.Tensor) else value


_aten = torch.ops.aten
_MORE: dict[Any, Callable[..., int]] = {
    # what FlopCounterMode does not know: recurrent layers, attention on processors and, in older versions,
    # attention whose queries have more heads than its keys
    _aten.mkldnn_rnn_layer: _mkldnn_rnn,
    _aten.mkldnn_rnn_layer_backward: _mkldnn_rnn_backward,
    _aten._cudnn_rnn: _cudnn_rnn,
    _aten._cudnn_rnn_backward: _cudnn_rnn_backward,
    **dict.fromkeys(
        (
            _aten._scaled_dot_product_flash_attention_for_cpu,
            _aten._scaled_dot_product_flash_attention,
            _aten._scaled_dot_product_efficient_attention,
            _aten._scaled_dot_product_cudnn_attention,
        ),
        _attention,
    ),
    **dict.fromkeys(
        (
            _aten._scaled_dot_product_flash_attention_for_cpu_backward,
            _aten._scaled_dot_product_flash_attention_backward,
            _aten._scaled_dot_product_efficient_attention_backward,
            _aten._scaled_dot_product_cudnn_attention_backward,
        ),
        _attention_backward,
    ),
    # what it takes apart: these arrive whole in inference mode, and only there
    _aten.linear: _linear,
    _aten.matmul: _matmul,
    _aten.conv1d: _convolution,
    _aten.conv2d: _convolution,
    _aten.conv3d: _convolution,
    _aten.scaled_dot_product_attention: _attention,
}
_FORMULAS = {**flop_registry, **{operation: _by_shapes(formula) for operation, formula in _MORE.items()}}
