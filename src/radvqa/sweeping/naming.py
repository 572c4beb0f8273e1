"""Readable names for runs: ``lora.r=8`` and ``seed=0`` make ``r8-seed0``."""

import hashlib
import re
from collections.abc import Sequence

_LETTERS = 32  # of one value in a name
_SHORT = {"learning_rate": "lr"}


def labels(keys: Sequence[str]) -> list[str]:
    """Name keys by their last part, and by more of it where two end alike: ``lora.r`` → ``r``."""
    parts = [key.split(".") for key in keys]
    found = []
    for mine in parts:
        length = 1
        while length < len(mine) and sum(other[-length:] == mine[-length:] for other in parts) > 1:
            length += 1
        found.append("_".join([*mine[-length:-1], _SHORT.get(mine[-1], mine[-1])]))
    return found


def slugs(label: str, values: Sequence[str]) -> list[str]:
    """Name each value of a key, so that no two are alike and each can be a folder.

    A name depends on its value alone, unless another value is written alike without its signs; so a value that is
    added later does not rename the others.
    """
    plain = [_slug(value) for value in values]
    # folders of some file systems do not tell capitals from small letters
    alike = [name.lower() for name in plain]
    found = []
    for value, name in zip(values, plain, strict=True):
        known = name if name and alike.count(name.lower()) == 1 and len(name) <= _LETTERS else _hashed(name, value)
        found.append(f"{label}{known}" if known[0].isdigit() else f"{label}_{known}")
    return found


def _slug(value: str) -> str:
    # a dash parts the values of a name, so only numbers keep theirs
    if re.fullmatch(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?", value, re.IGNORECASE):
        return value.strip(".")
    return re.sub(r"[^A-Za-z0-9.+]+", "_", value).strip("_.")


def _hashed(name: str, value: str) -> str:
    return f"{name[:_LETTERS]}_{hashlib.sha256(value.encode()).hexdigest()[:6]}".lstrip("_")
