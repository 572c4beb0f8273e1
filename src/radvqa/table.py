"""A growing table of arrays by key, on disk and memory-mapped: images decoded once, features computed once.

A table is a folder. Arrays are written in shards, each a flat file that is renamed into place when it is
complete; ``index.sqlite`` says where each key's array lies. A shard counts only once the index names it, and
the index changes in one transaction, so a process killed at any moment leaves the table as it was. Writers take
turns by a lock; readers need none, because what is written never changes.
"""

import math
import sqlite3
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radvqa import files
from radvqa.errors import DataError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS arrays (
    key TEXT PRIMARY KEY, shard TEXT NOT NULL, offset INTEGER NOT NULL, shape TEXT NOT NULL, crc INTEGER NOT NULL
)
"""


class Table:
    """Arrays of one dtype by key; shapes may differ.

    Args:
        folder: where the table lies; made when it is first written.
        dtype: of every array.
    """

    def __init__(self, folder: Path, dtype: str) -> None:
        self.folder, self.dtype = folder, np.dtype(dtype)
        self._shards: dict[str, NDArray[Any]] = {}
        self._places: dict[str, tuple[str, int, tuple[int, ...], int]] = {}

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the table for writing; another process waits."""
        with files.locked(self.folder / ".lock", what=f"The table {self.folder}"):
            self._drop_orphans()
            yield

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Return the distinct keys that the table does not hold, in order of first appearance."""
        wanted = list(dict.fromkeys(keys))
        self._look_up(wanted)
        return [key for key in wanted if key not in self._places]

    def append(self, arrays: Iterable[tuple[str, NDArray[Any]]]) -> None:
        """Write a shard of new arrays; call it inside ``writing``."""
        shard = f"{uuid.uuid4().hex}.bin"
        rows: list[tuple[str, str, int, str, int]] = []
        offset = 0
        with files.atomic_path(self.folder / shard) as temporary, temporary.open("wb") as handle:
            for key, array in arrays:
                content = np.asarray(array, dtype=self.dtype, order="C")  # ascontiguousarray would turn () into (1,)
                raw = content.reshape(-1).view(np.uint8).data
                handle.write(raw)
                rows.append((key, shard, offset, ",".join(map(str, content.shape)), zlib.crc32(raw)))
                offset += content.nbytes
        with closing(self._connect()) as database, database:
            database.executemany("INSERT OR REPLACE INTO arrays VALUES (?, ?, ?, ?, ?)", rows)

    def read(self, key: str) -> NDArray[Any]:
        """Return one array, memory-mapped and read-only.

        Raises:
            DataError: when the table does not hold the key, or the bytes on disk were damaged.
        """
        self._look_up([key])
        if key not in self._places:
            raise DataError(f"The table {self.folder} does not hold {key}.")
        shard, offset, shape, crc = self._places[key]
        size = math.prod(shape) * self.dtype.itemsize
        if not size:
            return np.empty(shape, self.dtype)
        if shard not in self._shards:
            try:
                self._shards[shard] = np.memmap(self.folder / shard, dtype=np.uint8, mode="r")
            except (OSError, ValueError):  # gone, or empty
                raise self._damaged(shard) from None
        raw = self._shards[shard][offset : offset + size]
        if raw.nbytes != size or zlib.crc32(raw.data) != crc:
            raise self._damaged(shard)
        return raw.view(self.dtype).reshape(shape)

    def _damaged(self, name: str) -> DataError:
        return DataError(f"{self.folder / name} is damaged; delete the folder {self.folder} to make it anew.")

    def _look_up(self, keys: Sequence[str]) -> None:
        unknown = [key for key in keys if key not in self._places]
        if not unknown or not (self.folder / "index.sqlite").is_file():
            return
        with closing(self._connect()) as database:
            for start in range(0, len(unknown), 500):  # SQLite limits the number of ? in one statement
                part = unknown[start : start + 500]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, shard, offset, shape, crc FROM arrays WHERE key IN ({marks})"  # noqa: S608
                for key, shard, offset, shape, crc in database.execute(query, part):
                    sides = tuple(int(side) for side in shape.split(",")) if shape else ()
                    self._places[key] = (shard, offset, sides, crc)

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.folder / "index.sqlite", timeout=60)
        try:
            database.execute(_SCHEMA)
        except sqlite3.OperationalError:  # busy, or the disk is full
            raise
        except sqlite3.DatabaseError:
            database.close()
            raise self._damaged("index.sqlite") from None
        return database

    def _drop_orphans(self) -> None:
        """Delete what a killed writer left: temporary files, and shards that the index does not name."""
        with closing(self._connect()) as database:
            named = {row[0] for row in database.execute("SELECT DISTINCT shard FROM arrays")}
        for path in [*self.folder.glob("*.bin"), *self.folder.glob(".*.part")]:
            if path.name not in named:
                path.unlink(missing_ok=True)


def stack(arrays: Mapping[str, NDArray[Any]] | Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Stack arrays of one shape along a new first axis."""
    return np.stack(list(arrays.values() if isinstance(arrays, Mapping) else arrays))
