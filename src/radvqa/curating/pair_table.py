"""The table that every step of curation reads and writes: JSON lines, or Parquet where pyarrow is installed."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.curating.pair import Pair
from radvqa.data.own.tables import open_tables
from radvqa.errors import DataError

SUFFIXES = (".jsonl", ".parquet")


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
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DataError(f"Writing {path} needs pyarrow: pip install 'radvqa[parquet]', or name a .jsonl.") from None
    rows = [pair.plain() for pair in pairs]
    texts = pyarrow.map_(pyarrow.string(), pyarrow.string())
    listed = pyarrow.list_(pyarrow.string())
    kinds = {"facts": texts, "options": listed, "flags": listed, "edited": listed}
    kinds |= {"turn": pyarrow.int64(), "whole": pyarrow.bool_()}
    names = list(Pair(id="", question="", answer="", kind="open").plain())
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in names])
    columns = [[list(row[n].items()) if n == "facts" else row[n] for row in rows] for n in names]
    table = pyarrow.table([pyarrow.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
    with files.atomic_path(path) as temporary:
        pyarrow.parquet.write_table(table, temporary)


def _known(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise DataError(f"{path} must end in {' or '.join(SUFFIXES)}, so that its kind is known.")
