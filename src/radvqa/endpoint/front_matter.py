"""Prompt templates as files: Markdown that says between two lines ``---`` what it is."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from radvqa.errors import RadvqaError, nearest

_FRONT = re.compile(r"\A---\n(.*?\n)---\n(.*)\Z", re.DOTALL)


def built_in(folder: Path) -> list[str]:
    """Return the names of the templates in a folder of this package."""
    return sorted(path.stem for path in folder.glob("*.md"))


def find(template: str | Path, folder: Path) -> Path:
    """Return the file of a template: one in the folder by its name, or one of the user's own by its path.

    Raises:
        RadvqaError: when there is none.
    """
    if isinstance(template, str) and template in built_in(folder):
        return folder / f"{template}.md"
    if Path(template).is_file():
        return Path(template)
    raise RadvqaError(
        f"There is no template {str(template)!r}; {nearest(str(template), built_in(folder))} Or give a file's path."
    )


def check_placeholders(prompt: str, path: Path, known: Sequence[str], who: str) -> None:
    """Refuse a prompt with a placeholder that nothing would be put into.

    Args:
        prompt: of the template.
        path: of its file, for messages.
        known: names of placeholders.
        who: reads it, for messages.

    Raises:
        RadvqaError: for an unknown one.
    """
    for name in re.findall(r"\{(\w+)\}", prompt):
        if name not in known:
            named = [f"{{{one}}}" for one in known]
            told = f"{', '.join(named[:-1])} and {named[-1]}"
            raise RadvqaError(f"{path}: there is no placeholder {{{name}}}; {who} sees {told} only.")


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
