"""``radvqa judgements``: what readers said about answers on the page, counted and taken along."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.errors import DataError, RadvqaError, nearest
from radvqa.report.grid import print_table
from radvqa.report.judgements import judgement_tables
from radvqa.serving.judgements.choosing import Wanted
from radvqa.serving.judgements.exporting import FORMATS
from radvqa.serving.judgements.records import Records
from radvqa.serving.judgements.summary import summary


def judgements(file: Path, wanted: Wanted, export: Path | None = None) -> dict[str, Any]:
    """Count judgements, and write them to a file when one is named.

    Args:
        file: of ``radvqa serve``.
        wanted: which ones.
        export: a file whose name ends in ``.csv`` or ``.jsonl``.

    Returns:
        as ``summary``, and ``exported``: the file, or None.

    Raises:
        DataError: when the file is absent.
        RadvqaError: when it holds something else, or the export's name has another ending.
    """
    if not file.is_file():
        raise DataError(f"{file} does not exist; `radvqa serve` makes it when somebody judges an answer.")
    if export is not None and export.suffix not in FORMATS:
        raise RadvqaError(f"{export} has no known ending; {nearest(export.suffix, list(FORMATS))}")
    found = wanted.among(Records(file).all())
    if export is not None:
        files.write_text(export, FORMATS[export.suffix](found))
    return {**summary(found), "exported": None if export is None else str(export)}


def show(found: Mapping[str, Any]) -> None:
    """Print the tables."""
    if not found["judgements"]:
        print("Nothing was judged.")
        return
    for table in judgement_tables(found):
        print_table(table)
    if found["exported"]:
        print(f"Written to {found['exported']}")
