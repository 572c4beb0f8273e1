"""Read fields of published JSON rows with errors that name file, row and key."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.errors import DataError
from radvqa.sample import ANSWER_TYPES, AnswerType


class BadRowError(DataError):
    """A row that lacks a key or holds a value of the wrong type."""


class Row:
    """One JSON object of a data file, with the place that it stands at."""

    def __init__(self, values: Mapping[str, Any], path: Path, number: int) -> None:
        self.values, self.path, self.number = values, path, number

    @property
    def where(self) -> str:
        """File and row for messages."""
        return f"{self.path}, row {self.number}"

    def text(self, key: str) -> str:
        """Return a text field, stripped; numbers become text, because published files hold some.

        Raises:
            BadRowError: when the key is missing or is neither text nor a number.
        """
        if key not in self.values:
            raise BadRowError(f"{self.where}: the key {key!r} is missing.")
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise BadRowError(f"{self.where}: {key!r} must be text or a number, found {value!r}.")
        return str(value).strip()

    def answer_type(self, key: str = "answer_type") -> AnswerType:
        """Return ``OPEN`` or ``CLOSED``; case and surrounding spaces do not matter.

        Raises:
            BadRowError: for any other value.
        """
        value = self.text(key).upper()
        if value not in ANSWER_TYPES:
            raise BadRowError(f"{self.where}: {key!r} must be OPEN or CLOSED, found {self.values[key]!r}.")
        return value


def read_rows(path: Path) -> list[Row]:
    """Read a JSON list of objects; rows are numbered from 1.

    Raises:
        DataError: when the file is absent, is not JSON, is not a list, or is empty.
    """
    content = files.read_json(path)
    if not isinstance(content, list):
        raise DataError(f"{path}: expected a JSON list of rows, found {type(content).__name__}.")
    if not content:
        raise DataError(f"{path} holds no rows.")
    for number, values in enumerate(content, start=1):
        if not isinstance(values, dict):
            raise DataError(f"{path}, row {number}: expected a JSON object, found {type(values).__name__}.")
    return [Row(values, path, number) for number, values in enumerate(content, start=1)]
