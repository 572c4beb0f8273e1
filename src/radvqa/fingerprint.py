"""Names for content: what makes two images, two weights or two splits the same."""

import ctypes
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.sample import Sample


def of_bytes(content: bytes) -> str:
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def of_value(value: Any) -> str:
    """SHA-256 of a JSON value, independent of key order."""
    return of_bytes(json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


def of_samples(samples: Iterable[Sample]) -> str:
    """SHA-256 over rows in order: id, image name, question, answer and both types. Paths do not count."""
    digest = hashlib.sha256()
    for s in samples:
        row = [s.id, s.image, s.question, s.answer, s.answer_type, s.question_type]
        digest.update(json.dumps(row, ensure_ascii=False).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def of_tensors(tensors: Mapping[str, Any]) -> str:
    """SHA-256 over named torch tensors: names, shapes, dtypes and bytes, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        # read where it lies: numpy would hold on to memory that FSDP must be able to give back
        digest.update((ctypes.c_ubyte * tensor.nbytes).from_address(tensor.data_ptr()) if tensor.nbytes else b"")
    return digest.hexdigest()


def split_fragment(path: Path) -> tuple[Path, str]:
    """Split ``scan.dcm#frame=3`` into the file and the part of it that is meant.

    A file that has the whole as its name is taken as it is.

    Returns:
        the file, and what follows the last ``#`` of its name; empty when nothing does.
    """
    file, hash_sign, fragment = path.name.rpartition("#")
    if not hash_sign or not file or os.path.exists(path):  # noqa: PTH110 - says no where Path.exists raises
        return path, ""
    part_of = path.with_name(file)
    return (part_of, fragment) if "=" in fragment or os.path.exists(part_of) else (path, "")  # noqa: PTH110


class FileHashes:
    """SHA-256 of files, remembered by path, size and time of change, so that a second run reads no file.

    A path may end in a fragment (``scan.dcm#frame=3``): the hash then tells the parts of one file apart.

    A file that is changed without a change of size and time (nanoseconds) would be missed; ``radvqa data check``
    therefore reads every file.
    """

    def __init__(self, database: Path | None = None) -> None:
        self.path = database or files.cache_folder() / "file_hashes.sqlite"

    def of(self, paths: Iterable[Path]) -> dict[Path, str | None]:
        """Hash files; a file that cannot be read has no hash (None), and what is wrong shows when it is decoded."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        hashes: dict[Path, str | None] = {}
        contents: dict[Path, str] = {}
        fresh: list[tuple[str, int, int, str]] = []
        with closing(sqlite3.connect(self.path, timeout=60)) as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS hashes (path TEXT PRIMARY KEY, size INTEGER, changed INTEGER, hash TEXT)"
            )
            known = {row[0]: row[1:] for row in database.execute("SELECT path, size, changed, hash FROM hashes")}
            for path in dict.fromkeys(paths):
                name = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links at a cost per file
                try:
                    file, fragment = split_fragment(path)
                    status = file.stat()
                    remembered = known.get(name)
                    if remembered and remembered[:2] == (status.st_size, status.st_mtime_ns):
                        hashes[path] = remembered[2]
                        continue
                    if file not in contents:  # a volume is read once, however many of its slices are meant
                        contents[file] = of_bytes(file.read_bytes())
                    hashes[path] = of_value([contents[file], fragment]) if fragment else contents[file]
                    fresh.append((name, status.st_size, status.st_mtime_ns, str(hashes[path])))
                except OSError:
                    hashes[path] = None
            with database:
                database.executemany("INSERT OR REPLACE INTO hashes VALUES (?, ?, ?, ?)", fresh)
        return hashes
