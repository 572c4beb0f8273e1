"""Prompt templates as files: Markdown that says between two lines ``---`` what it is."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from radvqa.errors import RadvqaError

_FRONT = re.compile(r"\A---\n(.*?\n)---\n(.*)\Z", re.DOTALL)


def read(text: str, path: Path, keys: Sequence[str]) -> tuple[dict[str, Any], str]:
    """Split a file into what it says of itself, every value a text, and its prompt.

    Args:
        text: of the file.
        path: of the file, for messages.
        keys: that it must have, and no others.

    Raises:
        RadvqaError: when the front matter is absent, no YAML, or has other keys.
    """
    named = f"{', '.join(keys[:-1])} and {keys[-1]}"
    found = _FRONT.match(text.replace("\r\n", "\n"))
    if not found:
        raise RadvqaError(f"{path} must begin with a line '---', then {named}, then another line '---'.")
    try:
        front = yaml.load(found[1], Loader=yaml.BaseLoader)  # noqa: S506 - only texts: "no" is a word, not False
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise RadvqaError(f"{path}: what is between the two lines '---' is not YAML ({reason}).") from None
    if not isinstance(front, dict) or set(front) != set(keys):
        given = ", ".join(map(str, front)) if isinstance(front, dict) else repr(front)
        raise RadvqaError(f"{path}: between the two lines '---' must stand {named}; found {given}.")
    return front, found[2]
