"""What the sample logs of evaluation harnesses have in common: values inside objects inside a row."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radvqa.errors import DataError
from radvqa.prediction_files.columns import check_names


def at(row: Mapping[str, Any], path: str) -> Any:
    """Return the value under a key, or under keys joined by full stops; None where there is none.

    A number counts the items of a list from 0: ``choices.0.message.content``.
    """
    if path in row:
        return row[path]
    value: Any = row
    for key in path.split("."):
        if isinstance(value, list) and key.isdecimal():
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


class Said:
    """The columns that the user named, held against the rows: a name that no row has is a mistake.

    Args:
        path: the file, for error messages.
        columns: our name → key, or keys joined by full stops.

    Raises:
        DataError: when a name is none of ours.
    """

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        check_names(columns)
        self.path, self.columns = path, columns
        self.unseen = {ours: theirs for ours, theirs in columns.items() if theirs}

    def over(self, values: dict[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a row with those of the user's columns instead, and without those left unread."""
        named = {ours: at(row, theirs) for ours, theirs in self.columns.items() if theirs}
        if self.unseen:
            self.unseen = {ours: theirs for ours, theirs in self.unseen.items() if named[ours] is None}
        return {ours: value for ours, value in (values | named).items() if self.columns.get(ours) != ""}

    def finish(self) -> None:
        """Refuse a name that was found in no row.

        Raises:
            DataError: for the first such name.
        """
        for ours, theirs in self.unseen.items():
            raise DataError(f"{self.path}: no row has {theirs!r} to read as {ours}.")


def text_of(content: Any) -> str | None:
    """Return the text of a chat message's content: a text, or a list of parts of which pictures are left out."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part if isinstance(part, str) else _text_part(part) for part in content]
        texts = [part for part in parts if part is not None]
        return "\n".join(texts) if texts else None
    return None


def _text_part(part: Any) -> str | None:
    if isinstance(part, Mapping) and part.get("type") in (None, "text") and isinstance(part.get("text"), str):
        text: str = part["text"]
        return text
    return None


def only(value: Any) -> Any:
    """Return the one item of a list of one; everything else as it is."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
