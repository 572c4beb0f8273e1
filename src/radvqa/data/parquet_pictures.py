"""Rows of a Parquet file whose pictures lie inside it; each picture is written to the cache once, named by content."""

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from radvqa import console, files, fingerprint
from radvqa.data.pictures_by_stem import SUFFIXES
from radvqa.data.rows import Row
from radvqa.errors import DataError

_ROWS_AT_A_TIME = 64  # a row carries its whole picture


def read(path: Path, columns: tuple[str, ...], folder: Path) -> list[Row]:
    """Read the rows of a file in the layout that Hugging Face ``datasets`` writes.

    The first reading unpacks the pictures and then writes down the rows; later ones read that. A file of another
    size or time of change is unpacked anew.

    Args:
        path: the Parquet file; its column ``image`` holds ``{bytes, path}``.
        columns: the text columns that are wanted.
        folder: where pictures (``pictures/``) and rows (``rows/``) are kept, below the cache folder.

    Returns:
        Rows numbered from 1, with the text columns and ``image``, the name of a file in ``folder/pictures``.

    Raises:
        DataError: when pyarrow is absent, the file is no Parquet, or a column or picture is missing.
    """
    status = path.stat()
    key = fingerprint.of_value([str(path.absolute()), status.st_size, status.st_mtime_ns, list(columns)])
    kept = folder / "rows" / f"{key}.json"
    if not kept.is_file():
        with files.locked(kept.with_suffix(".lock"), what=str(path)):
            if not kept.is_file():
                files.write_json(kept, [dict(row) for row in _unpacked(path, columns, folder / "pictures")])
    return [Row(values, path, number) for number, values in enumerate(files.read_json(kept), start=1)]


def _unpacked(path: Path, columns: tuple[str, ...], pictures: Path) -> Iterator[Mapping[str, Any]]:
    table = _opened(path)
    missing = {"image", *columns} - set(table.schema_arrow.names)
    if missing:
        raise DataError(
            f"{path} has no column {min(missing)!r}; its columns are {', '.join(table.schema_arrow.names)}."
        )
    number = 0
    with console.progress(f"unpacking {path.name}", table.metadata.num_rows) as advance:
        for batch in table.iter_batches(_ROWS_AT_A_TIME, columns=["image", *columns]):
            for values in batch.to_pylist():
                number += 1
                yield {**values, "image": _written(values["image"], f"{path}, row {number}", pictures)}
            advance(batch.num_rows)


def _opened(path: Path) -> Any:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise DataError(f"{path} is a Parquet file, which needs pyarrow (pip install 'radvqa[parquet]').") from None
    try:
        return parquet.ParquetFile(path)
    except (OSError, ValueError) as error:  # pyarrow's own errors are of these two kinds
        raise DataError(f"{path} is no readable Parquet file: {str(error).splitlines()[0]}.") from None


def _written(image: Any, where: str, pictures: Path) -> str:
    content = image.get("bytes") if isinstance(image, dict) else None
    if not isinstance(content, bytes) or not content:
        raise DataError(f"{where}: 'image' must hold the bytes of a picture.")
    suffix = Path(str(image.get("path") or "")).suffix.lower()
    name = fingerprint.of_bytes(content)[:32] + (suffix if suffix in SUFFIXES else "")
    if not (pictures / name).is_file():
        files.write_bytes(pictures / name, content)
    return name
