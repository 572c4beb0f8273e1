"""Packed tensors and plain facts in one safetensors file, with a checksum over both."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as as_bytes

from radvqa import files
from radvqa.errors import WeightsError

Tensors = dict[str, NDArray[Any]]
_KEY = "radvqa"


def content(tensors: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> bytes:
    """Put tensors and facts into the bytes of a file; equal ones make equal bytes.

    Args:
        tensors: by name.
        facts: plain values; NaN and infinities are refused.
    """
    whole = {name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}
    told = json.dumps(facts, ensure_ascii=False, allow_nan=False, sort_keys=True)
    # one entry: several are written in an order that changes from process to process
    kept = json.dumps({"facts": told, "sha256": _digest(whole, told)}, ensure_ascii=False)
    put_together: bytes = as_bytes(whole, {_KEY: kept})
    return put_together


def write(path: Path, tensors: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """Write ``content``, whole or not at all."""
    files.write_bytes(path, content(tensors, facts))


def read(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """Read tensors and facts.

    Raises:
        WeightsError: when the file is absent, was not written by ``write``, or is damaged.
    """
    if not path.is_file():
        raise WeightsError(f"{path} does not exist.")
    try:
        with safe_open(path, "np") as handle:
            kept = json.loads((handle.metadata() or {}).get(_KEY, "null"))
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is damaged: {error}.") from None
    if kept is None:
        raise WeightsError(f"{path} was not made by `radvqa starter`; make it again with that.")
    if kept["sha256"] != _digest(tensors, kept["facts"]):
        raise WeightsError(f"{path} is damaged: its checksum does not fit; install or make it again.")
    return tensors, json.loads(kept["facts"])


def behind(tensors: Mapping[str, NDArray[Any]], prefix: str) -> Tensors:
    """Return the tensors whose names begin with ``PREFIX.``, without that."""
    start = f"{prefix}."
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


def under(prefix: str, tensors: Mapping[str, NDArray[Any]]) -> Tensors:
    """Undo ``behind``."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def _digest(tensors: Mapping[str, NDArray[Any]], told: str) -> str:
    digest = hashlib.sha256(told.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.shape} {tensor.dtype}".encode())
        digest.update(np.ascontiguousarray(tensor).data)
    return digest.hexdigest()
