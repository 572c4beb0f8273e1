"""Parquet files, and the folders of ``datasets``' ``save_to_disk``, by pyarrow where it is installed."""

import importlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from radvqa import files
from radvqa.errors import DataError

SUFFIXES = (".parquet",)
Kind = Literal["text", "texts", "by name", "number", "yes or no"]
"""What a written column holds: a text, several, texts by name, a whole number, or a truth value."""

_ROWS_AT_A_TIME = 64  # rows may hold whole pictures


@dataclass(frozen=True)
class Opened:
    """A table whose columns are known.

    Attributes:
        columns: their names.
        rows: begins to read.
    """

    columns: list[str]
    rows: Callable[[], Iterator[Mapping[str, Any]]]


def parts(folder: Path) -> dict[str, Path]:
    """Return the folders of a saved ``DatasetDict`` by split, or a saved ``Dataset`` under the name ``""``.

    Raises:
        DataError: when the folder is neither.
    """
    if (folder / "dataset_dict.json").is_file():
        content = files.read_json(folder / "dataset_dict.json")
        names = content.get("splits") if isinstance(content, dict) else None
        if not isinstance(names, list) or not names or any(not _is_plain(name) for name in names):
            raise DataError(f"{folder / 'dataset_dict.json'}: 'splits' must be a list of the names of folders.")
        return {name: folder / name for name in names}
    if (folder / "state.json").is_file():
        return {"": folder}
    raise DataError(
        f"The folder {folder} was not written by datasets' save_to_disk (it has no state.json); name a file."
    )


def open_arrow(path: Path) -> Opened:
    """Open a Parquet file or the folder of one saved ``Dataset``; class labels become their names.

    Raises:
        DataError: when pyarrow is absent, or a file is absent or broken.
    """
    pyarrow = _pyarrow(path)
    shards = _shards(path) if path.is_dir() else [path]
    batches = _parquet if not path.is_dir() else _stream
    schema = _guarded(pyarrow, shards[0], lambda: _schema(shards[0], parquet=not path.is_dir()))
    labels = _class_labels(schema)

    def rows() -> Iterator[Mapping[str, Any]]:
        for shard in shards:
            reading = batches(shard)
            while (batch := _guarded(pyarrow, shard, partial(next, reading, None))) is not None:
                for values in batch.to_pylist():
                    yield {**values, **{c: _named(values[c], names) for c, names in labels.items()}}

    return Opened(list(schema.names), rows)


def write_parquet(path: Path, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Kind]) -> None:
    """Write rows as one Parquet file, whole or not at all.

    Args:
        path: of the file.
        rows: values by column; every column is there in each.
        columns: what each column holds.

    Raises:
        DataError: when pyarrow is absent.
    """
    pyarrow = _pyarrow(path)
    text = pyarrow.string()
    types = {"text": text, "texts": pyarrow.list_(text), "by name": pyarrow.map_(text, text)}
    types |= {"number": pyarrow.int64(), "yes or no": pyarrow.bool_()}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])
    values = [
        pyarrow.array([list(row[n].items()) if kind == "by name" else row[n] for row in rows], types[kind])
        for n, kind in columns.items()
    ]
    with files.atomic_path(path) as temporary:
        importlib.import_module("pyarrow.parquet").write_table(pyarrow.table(values, schema=schema), temporary)


def _pyarrow(path: Path) -> Any:
    try:
        return importlib.import_module("pyarrow")
    except ImportError:
        raise DataError(
            f"{path} needs pyarrow, which is not installed: pip install 'radvqa[parquet]'; or save it as CSV or JSON."
        ) from None


def _guarded(pyarrow: Any, path: Path, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except FileNotFoundError:
        raise DataError(f"{path} does not exist.") from None
    except (pyarrow.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path} is broken or no Parquet or Arrow file: {reason}.") from None


def _shards(folder: Path) -> list[Path]:
    state = files.read_json(folder / "state.json")
    try:
        names = [entry["filename"] for entry in state["_data_files"]]
    except (KeyError, TypeError):
        names = []
    if not names or any(not _is_plain(name) for name in names):
        raise DataError(f"{folder / 'state.json'}: '_data_files' must name the files of the table.")
    return [folder / name for name in names]


def _is_plain(name: Any) -> bool:
    """Whether a name stays inside its folder."""
    return isinstance(name, str) and Path(name).name == name and name not in ("", ".", "..")


def _schema(shard: Path, *, parquet: bool) -> Any:
    if parquet:
        return importlib.import_module("pyarrow.parquet").read_schema(shard)
    with _mapped(shard) as source:
        return importlib.import_module("pyarrow.ipc").open_stream(source).schema


def _parquet(shard: Path) -> Iterator[Any]:
    with importlib.import_module("pyarrow.parquet").ParquetFile(shard) as file:
        yield from file.iter_batches(batch_size=_ROWS_AT_A_TIME)


def _stream(shard: Path) -> Iterator[Any]:
    with _mapped(shard) as source:
        for batch in importlib.import_module("pyarrow.ipc").open_stream(source):
            for start in range(0, batch.num_rows, _ROWS_AT_A_TIME):
                yield batch.slice(start, _ROWS_AT_A_TIME)


def _mapped(shard: Path) -> Any:
    return importlib.import_module("pyarrow").memory_map(str(shard))


def _class_labels(schema: Any) -> dict[str, list[str]]:
    """Return the names of the classes by column, as ``datasets`` notes them beside the schema."""
    noted = (schema.metadata or {}).get(b"huggingface")
    try:
        features = json.loads(noted)["info"]["features"] if noted else {}
        return {
            column: feature["names"]
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and column in schema.names
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _named(value: Any, names: list[str]) -> Any:
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value
