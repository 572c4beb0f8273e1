"""Weights in few bits: how tensors are packed for a file that is shipped, and unpacked when it is loaded.

A tensor has one of these forms, which its data types tell apart:

* 4 bits (``NAME.codes`` of type uint8, ``NAME.scales``): groups of 32 along a row share a scale, and each weight is
  the nearest of sixteen levels. The levels are those of NF4 (Dettmers et al., QLoRA, NeurIPS 2023, appendix E), the
  quantiles of a normal distribution. The scale is not the group's largest weight, as there, but the best of several
  by squared error.
* 8 bits (``NAME.codes`` of type int8, ``NAME.scales``): each row has a scale.
* 16 and 32 bits (``NAME``): half and single precision.

Letters: ``r`` rows, ``c`` columns.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

GROUP = 32
"""Weights that share a scale in 4 bits."""

Bits = Literal[4, 8, 16, 32]
Array = NDArray[np.float32]

_LEVELS = np.array(
    [
        *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453),
        *(-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0),
        *(0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
        *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
    ],
    np.float32,
)
_BORDERS = (_LEVELS[1:] + _LEVELS[:-1]) / 2
_PAIRS = np.stack([np.tile(_LEVELS, 16), np.repeat(_LEVELS, 16)], 1).view(np.uint64)[:, 0]
"""Both weights of a byte, the low half first, as one word: unpacking is one look into this table a byte."""

_SHARES = np.linspace(0.7, 1.05, 8, dtype=np.float32)
"""Scales that are tried, as shares of the group's largest weight."""

_SMALLEST = np.float16(6e-8)  # a scale in half precision is never zero


def pack(name: str, weights: NDArray[Any], bits: Bits) -> dict[str, NDArray[Any]]:
    """Pack a tensor.

    Args:
        name: what it is called.
        weights: ``(r, c)`` for 4 and 8 bits, with ``c`` a multiple of ``GROUP`` for 4; of any shape for 16 and 32.
        bits: of each weight.

    Returns:
        the tensors to keep, by name.
    """
    if bits >= 16:
        return {name: weights.astype(np.float16 if bits == 16 else np.float32)}
    codes, scales = _nibbles(weights) if bits == 4 else _bytes(weights)
    return {f"{name}.codes": codes, f"{name}.scales": scales}


def unpack(name: str, tensors: Mapping[str, NDArray[Any]], out: Array | None = None) -> Array:
    """Unpack a tensor.

    Args:
        name: what it was called.
        tensors: what ``pack`` returned, among others.
        out: where to put it; a new array by default.

    Returns:
        the tensor, of its own shape.

    Raises:
        KeyError: when there is none of this name.
    """
    codes = tensors.get(f"{name}.codes")
    if codes is None:
        found = tensors[name].astype(np.float32)
    elif codes.dtype == np.uint8:
        rows, half = codes.shape
        found = np.empty((rows, 2 * half), np.float32) if out is None else out
        np.take(_PAIRS, codes, out=found.view(np.uint64), mode="clip")  # no code is out of range: skip the check
        grouped = found.reshape(rows, -1, GROUP)
        grouped *= tensors[f"{name}.scales"].astype(np.float32)[:, :, None]
        return found
    else:
        found = codes.astype(np.float32) * tensors[f"{name}.scales"].astype(np.float32)[:, None]
    if out is None:
        return found
    out[:] = found
    return out


def _nibbles(weights: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Codes ``(r, c / 2)`` and scales ``(r, c / GROUP)``."""
    rows, columns = weights.shape
    groups = np.ascontiguousarray(weights, np.float32).reshape(-1, GROUP)
    largest = np.abs(groups).max(1, keepdims=True)
    codes: NDArray[np.uint8] = np.zeros(groups.shape, np.uint8)
    scales = np.full(largest.shape, _SMALLEST)
    errors = np.full(largest.shape, np.inf, np.float32)
    for share in (*_SHARES, *-_SHARES):  # the levels are not symmetric, so the sign of a scale matters
        tried = _nearest_codes(groups, _whole(largest * share))
        levels = _LEVELS[tried]
        fitted = _whole((groups * levels).sum(1, keepdims=True) / (levels * levels).sum(1, keepdims=True).clip(1e-12))
        error = np.square(groups - levels * fitted.astype(np.float32)).sum(1, keepdims=True)
        better = error < errors
        codes, scales = np.where(better, tried, codes), np.where(better, fitted, scales)
        errors = np.where(better, error, errors)
    flat = codes.reshape(rows, columns)
    return flat[:, ::2] | flat[:, 1::2] << np.uint8(4), scales.reshape(rows, columns // GROUP)


def _nearest_codes(groups: Array, scales: NDArray[np.float16]) -> NDArray[np.uint8]:
    return np.searchsorted(_BORDERS, groups / scales.astype(np.float32)).astype(np.uint8)


def _bytes(weights: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Codes ``(r, c)`` and scales ``(r,)``."""
    scales = _whole(np.abs(weights).max(1) / 127)
    codes = np.round(weights / scales.astype(np.float32)[:, None]).clip(-127, 127)
    return codes.astype(np.int8), scales


def _whole(scales: NDArray[Any]) -> NDArray[np.float16]:
    """Scales in half precision, none of them zero."""
    halves = scales.astype(np.float16)
    return np.where(halves == 0, _SMALLEST, halves)
