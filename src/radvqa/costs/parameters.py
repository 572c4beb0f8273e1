"""How many parameters each part of a model has, and how many of them are trained."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

REST = "rest"
_UNTOUCHED = ".original_module."  # what peft keeps of a part that is learned whole; as in models.parts


def parameters_by_part(parts: Mapping[str, nn.Module], whole: nn.Module | None = None) -> dict[str, Any]:
    """Count parameters; one that several parts share counts once, in the first of them.

    Args:
        parts: by name.
        whole: the module that holds the parts; what lies in none of them is the part ``rest``.

    Returns:
        ``total``, ``trainable`` and ``by_part``: part → ``total`` and ``trainable``.
    """
    seen: set[int] = set()
    named = {**parts, REST: whole} if whole is not None else dict(parts)
    by_part = {name: _count(part, seen) for name, part in named.items()}
    if whole is not None and not by_part[REST]["total"]:
        del by_part[REST]
    return {key: sum(part[key] for part in by_part.values()) for key in ("total", "trainable")} | {"by_part": by_part}


def _count(part: nn.Module, seen: set[int]) -> dict[str, int]:
    total = trainable = 0
    for parameter in _own(part):
        if id(parameter) not in seen:
            seen.add(id(parameter))
            total += parameter.numel()
            trainable += parameter.numel() if parameter.requires_grad else 0
    return {"total": total, "trainable": trainable}


def _own(part: nn.Module) -> Iterator[nn.Parameter]:
    for name, parameter in part.named_parameters():
        if _UNTOUCHED not in f".{name}":
            yield parameter
