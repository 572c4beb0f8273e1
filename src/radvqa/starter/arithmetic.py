"""The few functions of a net that NumPy lacks, in single precision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radvqa.starter.packing import Array, unpack

_BLOCK = 1 << 15  # numbers at a time, so that they stay in the processor's cache
_ERFC = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
_ERFC_SLOPE = 0.3275911


@dataclass(frozen=True)
class Linear:
    """A linear layer.

    Attributes:
        weight: ``(outputs, inputs)``.
        bias: ``(outputs,)``.
    """

    weight: Array
    bias: Array

    @classmethod
    def unpack(cls, name: str, tensors: Mapping[str, NDArray[Any]]) -> "Linear":
        """Take ``NAME.weight`` and ``NAME.bias`` out of packed tensors."""
        return cls(unpack(f"{name}.weight", tensors), unpack(f"{name}.bias", tensors))

    def __call__(self, inputs: Array) -> Array:
        """Map ``(…, inputs)`` to ``(…, outputs)``."""
        outputs: Array = inputs @ self.weight.T
        outputs += self.bias
        return outputs


@dataclass(frozen=True)
class LayerNorm:
    """Layer normalisation over the last axis.

    Attributes:
        weight: ``(d,)``.
        bias: ``(d,)``.
        epsilon: added to the variance.
    """

    weight: Array
    bias: Array
    epsilon: float = 1e-5

    @classmethod
    def unpack(cls, name: str, tensors: Mapping[str, NDArray[Any]], epsilon: float = 1e-5) -> "LayerNorm":
        """Take ``NAME.weight`` and ``NAME.bias`` out of packed tensors."""
        return cls(unpack(f"{name}.weight", tensors), unpack(f"{name}.bias", tensors), epsilon)

    def __call__(self, inputs: Array) -> Array:
        """Normalise ``(…, d)``."""
        centred: Array = inputs - inputs.mean(-1, keepdims=True)
        variance = np.einsum("...d,...d->...", centred, centred)[..., None] / centred.shape[-1]
        centred *= 1 / np.sqrt(variance + np.float32(self.epsilon))
        centred *= self.weight
        centred += self.bias
        return centred


def gelu(values: Array) -> Array:
    """Apply the Gaussian error linear unit in place; its error is below 1e-6.

    ``x·Φ(x) = max(x, 0) − |x|·erfc(|x|/√2)/2``, with ``erfc`` by formula 7.1.26 of Abramowitz and Stegun, Handbook of
    Mathematical Functions, 1964, whose error is at most 1.5e-7.

    Args:
        values: contiguous, of any shape; they are changed.

    Returns:
        the same array.
    """
    flat = values.reshape(-1)
    for start in range(0, len(flat), _BLOCK):
        x = flat[start : start + _BLOCK]
        size = np.abs(x)
        share = 1 / (1 + np.float32(_ERFC_SLOPE * 0.5**0.5) * size)
        tail = np.full_like(share, _ERFC[-1] / 2)
        for factor in _ERFC[-2::-1]:
            tail *= share
            tail += np.float32(factor / 2)
        tail *= share
        tail *= np.exp(np.float32(-0.5) * size * size)
        np.maximum(x, 0, out=x)
        x -= size * tail
    return values


def sigmoid(values: Array) -> Array:
    """``1 / (1 + e⁻ˣ)``, written so that nothing overflows."""
    halved: Array = np.tanh(values * np.float32(0.5))
    halved += 1
    halved *= np.float32(0.5)
    return halved


def softmax(values: Array) -> Array:
    """Shares over the last axis, in place."""
    values -= values.max(-1, keepdims=True)
    np.exp(values, out=values)
    values /= values.sum(-1, keepdims=True)
    return values
