"""Points from a CSV file."""

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path

from radvqa import files
from radvqa.errors import DataError
from radvqa.scaling.points import SYMBOLS, Points, make


def read_points(path: Path) -> Points:
    """Read points from a CSV file with a header: ``loss`` and ``t``, or ``loss`` and one or both of ``x`` and ``d``.

    A column ``name`` calls the points by name; all others are passed over.

    Raises:
        DataError: for a file that is absent, a missing column, or a row whose number cannot be used; names the line.
    """
    text = files.read_text(path).removeprefix("\ufeff")
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    try:
        header = [name.strip().lower() for name in rows.fieldnames or ()]
        rows.fieldnames = header
        names = _variables(header, path)
        found = [(rows.line_num, row) for row in rows]
    except csv.Error as error:
        raise DataError(f"{path}, line {rows.line_num} is not CSV: {error}.") from None
    return make(
        names,
        [[_number(row, name, path, line) for name in names] for line, row in found],
        [_number(row, "loss", path, line) for line, row in found],
        [row.get("name") or f"line {line}" for line, row in found],
    )


def _variables(header: list[str], path: Path) -> list[str]:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{path} has two columns {twice[0]!r}.")
    names = [name for name in SYMBOLS if name in header]
    if "loss" not in header or not names:
        raise DataError(f"{path} needs a header with loss and t, or loss and x, d or both; found {', '.join(header)}.")
    if "t" in names and len(names) > 1:
        raise DataError(f"{path} has a column t and also {names[0]}; a law is in t alone, or in x and d.")
    return names


def _number(row: Mapping[str | None, str | None], name: str, path: Path, line: int) -> float:
    text = row.get(name)
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise DataError(f"{path}, line {line}: {name} is {text!r}; it must be a number above 0.")
    return value
