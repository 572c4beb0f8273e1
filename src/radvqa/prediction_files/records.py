"""Records of a file, whatever it is written in: JSON lines, JSON, CSV, TSV or a spreadsheet."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radvqa.errors import DataError
from radvqa.prediction_files import delimited, json_text, spreadsheet

Record = tuple[int, dict[str, Any]]
"""Number of the line or row, from 1, and its values by column; None where a cell is empty."""


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one file.

    Attributes:
        path: the file.
        form: ``json lines``, ``json``, ``delimited`` or ``spreadsheet``.
        columns: every column or key that occurs, in the order in which they first occur.
        read: begins to read the records anew, one at a time where the format allows it.
    """

    path: Path
    form: str
    columns: list[str]
    read: Callable[[], Iterator[Record]]

    def place(self, number: int) -> str:
        """Return how an error message names a record."""
        unit = "line" if self.form in ("json lines", "delimited") else "row"
        return f"{self.path}, {unit} {number}"


def open_records(path: Path) -> Records:
    """Find out what a file is written in, and survey its columns.

    Raises:
        DataError: when the file is absent, a folder, empty, not UTF-8 text or broken; the message names the place.
    """
    _check(path)
    suffix = path.suffix.lower()
    if suffix in spreadsheet.SUFFIXES:
        return _surveyed(path, "spreadsheet", lambda: spreadsheet.rows(path), uniform=True)
    if suffix in delimited.SUFFIXES or not _looks_like_json(path):
        return _surveyed(path, "delimited", lambda: delimited.rows(path), uniform=True)
    if json_text.is_lines(path):
        return _surveyed(path, "json lines", lambda: json_text.lines(path))
    document = json_text.document(path)
    return _surveyed(path, "json", lambda: json_text.checked(path, document))


def _surveyed(path: Path, form: str, read: Callable[[], Iterator[Record]], *, uniform: bool = False) -> Records:
    columns: dict[str, None] = {}
    shapes: set[tuple[str, ...]] = set()
    for _, record in read():
        shape = tuple(record)
        if shape not in shapes:
            shapes.add(shape)
            columns.update(dict.fromkeys(shape))
        if uniform:
            break
    if not shapes:
        raise DataError(f"{path} holds no predictions.")
    return Records(path, form, list(columns), read)


PICKLES = (".pkl", ".pickle")


def _check(path: Path) -> None:
    if path.is_dir():
        raise DataError(f"{path} is a folder; name a file of predictions in it.")
    if not path.exists():
        raise DataError(f"{path} does not exist.")
    if path.suffix.lower() in PICKLES:
        raise DataError(f"{path} is a pickle, and reading one can run code; save the table as CSV, TSV or JSON.")
    try:
        with path.open("rb") as handle:
            if not handle.read(1):
                raise DataError(f"{path} is empty: it holds no predictions.")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None


def _looks_like_json(path: Path) -> bool:
    with json_text.opened(path) as handle:
        return next((line.strip()[0] for line in handle if line.strip()), "") in ("{", "[")
