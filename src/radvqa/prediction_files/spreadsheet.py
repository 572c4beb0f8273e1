"""The first sheet of an Excel workbook, read by openpyxl where it is installed."""

import importlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from radvqa.errors import DataError
from radvqa.prediction_files import delimited

SUFFIXES = (".xlsx",)


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield one row at a time with its number in the sheet; the first row names the columns.

    Raises:
        DataError: when openpyxl is absent, or the file is no workbook.
    """
    try:
        openpyxl = importlib.import_module("openpyxl")
    except ImportError:
        raise DataError(
            f"{path} is an Excel workbook, which needs openpyxl (pip install openpyxl); or save it as CSV or TSV."
        ) from None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, OSError, SyntaxError, TypeError, ValueError):
        raise DataError(f"{path} is not an Excel workbook; save it as CSV or TSV.") from None
    try:
        sheet = book.worksheets[0].iter_rows(values_only=True)
        names = delimited.header(path, ["" if cell is None else str(cell) for cell in next(sheet, ())])
        for number, cells in enumerate(sheet, start=2):
            if any(cell is not None for cell in cells):
                yield number, dict(zip(names, cells, strict=False))
    finally:
        book.close()
