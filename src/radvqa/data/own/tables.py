"""Any table as columns and rows: CSV, TSV, JSON lines, JSON, Excel, Parquet, or a folder that ``datasets`` wrote."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radvqa.data.own import arrow
from radvqa.errors import DataError
from radvqa.prediction_files import delimited, json_text, spreadsheet

JSON = (".json", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        path: the file or folder.
        columns: their names, in the table's order.
        rows: begins to read; yields the place for messages (``line 3``) and the values by column.
    """

    path: Path
    columns: list[str]
    rows: Callable[[], Iterator[tuple[str, Mapping[str, Any]]]]


def open_tables(path: Path) -> dict[str, Table]:
    """Open a table, or the tables of a ``DatasetDict`` folder, by split; one alone has no split's name: ``""``.

    Raises:
        DataError: when the file is absent, empty, of an unknown kind or broken; the message names file and line.
    """
    if path.is_dir():
        return {split: _arrow(folder) for split, folder in arrow.parts(path).items()}
    if not path.exists():
        raise DataError(f"The table {path} does not exist.")
    suffix = path.suffix.lower()
    if suffix in arrow.SUFFIXES:
        return {"": _arrow(path)}
    if suffix in spreadsheet.SUFFIXES:
        return {"": _uniform(path, "row", lambda: spreadsheet.rows(path))}
    if suffix in delimited.SUFFIXES:
        return {"": _uniform(path, "line", lambda: delimited.rows(path))}
    if suffix in JSON:
        return {"": _json(path)}
    known = ", ".join((*delimited.SUFFIXES, *JSON, *spreadsheet.SUFFIXES, *arrow.SUFFIXES))
    raise DataError(f"{path} is no table in a known format ({known}, or a folder of datasets' save_to_disk).")


def _arrow(path: Path) -> Table:
    opened = arrow.open_arrow(path)

    def rows() -> Iterator[tuple[str, Mapping[str, Any]]]:
        return ((f"row {number}", values) for number, values in enumerate(opened.rows(), start=1))

    return Table(path, opened.columns, rows)


def _uniform(path: Path, unit: str, read: Callable[[], Iterator[tuple[int, dict[str, Any]]]]) -> Table:
    """A table whose first row has every column."""
    first = next(read(), None)
    if first is None:
        raise DataError(f"{path} holds no rows.")
    return Table(path, list(first[1]), lambda: ((f"{unit} {number}", values) for number, values in read()))


def _json(path: Path) -> Table:
    lines = json_text.is_lines(path)
    read = list(json_text.lines(path) if lines else json_text.checked(path, json_text.document(path)))
    if not read:
        raise DataError(f"{path} holds no rows.")
    unit = "line" if lines else "row"
    columns = list(dict.fromkeys(column for _, values in read for column in values))
    return Table(path, columns, lambda: ((f"{unit} {number}", values) for number, values in read))
