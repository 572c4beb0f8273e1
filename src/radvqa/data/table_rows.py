"""Read columns of large published tables (CSV, TSV, JSON lines) fast, holding one row at a time."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from radvqa.data.dataset import Problems
from radvqa.data.rows import BadRowError
from radvqa.errors import DataError, nearest

Cells = tuple[str, ...]

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_LINES = (".jsonl", ".ndjson")
_LONGEST_CELL = 1 << 24  # characters; what is longer was never a cell, but a quote that is not closed


def column_names(path: Path) -> list[str]:
    """Return the names of a table's columns; of JSON lines, the keys of the first row.

    Raises:
        DataError: when the file is absent, empty or of an unknown kind.
    """
    if path.suffix in _DELIMITERS:
        header, _ = _separated(path)
        return header
    _require_lines(path)
    for _, values in _lines(path):
        return list(values)
    raise DataError(f"{path} holds no rows.")


def read_table(
    path: Path, columns: Sequence[str], problems: Problems | None = None, *, optional: Sequence[str] = ()
) -> Iterator[tuple[int, Cells]]:
    """Read some columns of a table.

    Args:
        path: ``.csv`` or ``.tsv`` with a header, or ``.jsonl`` with one object a line; UTF-8.
        columns: which ones; every row must have them.
        problems: where bad rows are reported; by default the first one raises.
        optional: more columns, which are empty text where the table or a row has none.

    Yields:
        The row's number, from 1, and its values as stripped text: ``columns`` first, then ``optional``.

    Raises:
        BadRowError: names file, row and column; or DataError, as ``problems`` has it.
        DataError: when the file is absent or empty, lacks a column, or is not of its kind.
    """
    if path.suffix in _DELIMITERS:
        rows = _read_separated(path, columns, optional, problems)
    else:
        _require_lines(path)
        rows = _read_objects(path, _lines(path, problems), columns, optional, problems)
    number = 0
    for number, cells in rows:
        yield number, cells
    if not number:
        raise DataError(f"{path} holds no rows that can be used.")


def _read_separated(
    path: Path, columns: Sequence[str], optional: Sequence[str], problems: Problems | None
) -> Iterator[tuple[int, Cells]]:
    header, rows = _separated(path)
    _require(path, columns, header)
    width = len(header)
    places = [header.index(name) if name in header else width for name in (*columns, *optional)]
    lacking = width in places
    pick = itemgetter(*places) if len(places) > 1 else lambda cells: (cells[places[0]],)
    for number, cells in rows:
        if len(cells) != width:
            _report(problems, BadRowError(f"{path}, row {number}: has {len(cells)} cells, the header has {width}."))
            continue
        if lacking:
            cells.append("")
        yield number, tuple(map(str.strip, pick(cells)))


def _separated(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header, and the rows that are not blank with their numbers."""
    lines = _separated_lines(path)
    header = next(lines, None)
    if header is None:
        raise DataError(f"{path} is empty.")
    return [name.strip() for name in header[1]], (line for line in lines if line[1])


def _separated_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    number = 0
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            # strict: else a quote that is not closed would swallow the rest of the file in silence
            for number, cells in enumerate(csv.reader(handle, delimiter=_DELIMITERS[path.suffix], strict=True)):
                yield number, cells
    except csv.Error as error:
        raise DataError(f"{path}: what follows row {number} is not valid {path.suffix[1:].upper()}: {error}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None


def _lines(path: Path, problems: Problems | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig") as handle:
            for number, line in enumerate(handle, start=1):
                if not line.strip():
                    continue
                try:
                    values = json.loads(line)
                except json.JSONDecodeError as error:
                    _report(problems, BadRowError(f"{path}, row {number}: not valid JSON: {error.msg}."))
                    continue
                if isinstance(values, dict):
                    yield number, values
                else:
                    found = type(values).__name__
                    _report(problems, BadRowError(f"{path}, row {number}: expected a JSON object, found {found}."))
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None


def _read_objects(
    path: Path,
    rows: Iterable[tuple[int, dict[str, Any]]],
    columns: Sequence[str],
    optional: Sequence[str],
    problems: Problems | None,
) -> Iterator[tuple[int, Cells]]:
    for number, values in rows:
        try:
            cells = [_text(values, name, path, number) for name in columns]
            cells += [_text(values, name, path, number) if values.get(name) is not None else "" for name in optional]
        except BadRowError as error:
            _report(problems, error)
            continue
        yield number, tuple(cells)


def _text(values: dict[str, Any], name: str, path: Path, number: int) -> str:
    if name not in values:
        raise BadRowError(f"{path}, row {number}: the key {name!r} is missing.")
    value = values[name]
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRowError(f"{path}, row {number}: {name!r} must be text or a number, found {value!r}.")
    return str(value)


def _require_lines(path: Path) -> None:
    if path.suffix not in _LINES:
        kinds = ", ".join((*_DELIMITERS, *_LINES))
        raise DataError(f"{path}: tables are read from {kinds} files; save it as one of these.")


def _require(path: Path, columns: Sequence[str], known: list[str]) -> None:
    for name in columns:
        if name not in known:
            raise DataError(f"{path} has no column {name!r}; {nearest(name, known)}")


def _report(problems: Problems | None, error: BadRowError) -> None:
    if problems is None:
        raise error
    problems.report(str(error))


def _unreadable(path: Path, error: OSError | UnicodeDecodeError) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path} does not exist.")
    if isinstance(error, UnicodeDecodeError):
        return DataError(f"{path} is not UTF-8 text (byte {error.start} of the part that was being read).")
    return DataError(f"{path} cannot be read: {error.strerror or error}.")
