"""CSV and TSV: the first row names the columns; an empty cell says that nothing is given."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from radvqa.errors import DataError
from radvqa.prediction_files.json_text import opened

SUFFIXES = (".csv", ".tsv", ".tab")
LONGEST_CELL = 2**31 - 1  # characters; the csv module refuses answers beyond 131,072 otherwise


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield one row at a time with the number of the line on which it begins.

    Raises:
        DataError: when the file is not UTF-8, a column is named twice, a row has another number of cells than the
            header, or a quotation mark is not closed; the message names the line.
    """
    csv.field_size_limit(LONGEST_CELL)
    with opened(path) as handle:
        head = handle.readline()
        handle.seek(0)
        reader = csv.reader(handle, delimiter=_delimiter(path, head), strict=True)
        names: list[str] = []
        begins = 1
        try:
            for cells in reader:
                if cells and not names:
                    names = header(path, cells)
                elif cells:
                    if len(cells) != len(names):
                        raise DataError(
                            f"{path}, line {begins}: the row has {len(cells)} cells, but the header names "
                            f"{len(names)} columns; put cells that hold the separator into quotation marks."
                        )
                    yield begins, {name: cell or None for name, cell in zip(names, cells, strict=True)}
                begins = reader.line_num + 1
        except csv.Error:
            raise DataError(
                f"{path}, line {begins}: a quotation mark is not closed or stands inside a cell that is not quoted; "
                f"quote the cell and double the marks inside it."
            ) from None


def _delimiter(path: Path, head: str) -> str:
    if path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    if "," in head:
        return ","
    return next((mark for mark in ("\t", ";") if mark in head), ",")


def header(path: Path, cells: list[str]) -> list[str]:
    """Return the names of the columns; one without a name gets its number.

    Raises:
        DataError: when a name occurs twice.
    """
    names = [cell.strip() for cell in cells]
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise DataError(f"{path} has two columns named {twice[0]!r}; rename one.")
    return [name or f"column {number}" for number, name in enumerate(names, start=1)]
