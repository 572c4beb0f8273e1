"""The table that every step of curation reads and writes: JSON lines, or Parquet where pyarrow is installed."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.curating.pair import Pair
from radvqa.data.own import arrow
from radvqa.data.own.tables import open_tables
from radvqa.errors import DataError

SUFFIXES = (".jsonl", ".parquet")

_KINDS: dict[str, arrow.Kind] = {
    "facts": "by name",
    "options": "texts",
    "flags": "texts",
    "edited": "texts",
    "turn": "number",
    "whole": "yes or no",
}


def read_pairs_of(path: Path) -> list[Pair]:
    """Read a table.

    Raises:
        DataError: when the file is absent, of another kind, holds a row that is no pair, or an id twice.
    """
    _known(path)
    if not path.is_file():
        raise DataError(f"There is no table {path}; `radvqa curate generate` makes one.")
    if path.suffix == ".jsonl":
        rows: Iterator[tuple[str, Any]] = ((f"line {n}", row) for n, row in enumerate(files.read_jsonl(path), start=1))
    else:
        rows = iter(open_tables(path)[""].rows())
    pairs: dict[str, Pair] = {}
    for place, row in rows:
        if not isinstance(row, dict):
            raise DataError(f"{path}, {place}: a pair must be a JSON object.")
        pair = Pair.of_plain(row, f"{path}, {place}")
        if pair.id in pairs:
            raise DataError(f"{path}, {place}: the id {pair.id!r} occurs twice; ids must be unique.")
        pairs[pair.id] = pair
    return list(pairs.values())


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """Write a table, whole or not at all.

    Raises:
        DataError: for a file of another kind, or Parquet without pyarrow.
    """
    _known(path)
    if path.suffix == ".jsonl":
        files.write_jsonl(path, (pair.plain() for pair in pairs))
        return
    names = list(Pair(id="", question="", answer="", kind="open").plain())
    arrow.write_parquet(path, [pair.plain() for pair in pairs], {name: _KINDS.get(name, "text") for name in names})


def _known(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise DataError(f"{path} must end in {' or '.join(SUFFIXES)}, so that its kind is known.")
