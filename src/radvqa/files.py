"""The only place that writes files which someone later trusts: whole or not at all, and one writer at a time."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock

from radvqa.errors import DataError, RadvqaError

if TYPE_CHECKING:
    from numpy.typing import NDArray


_CACHE: ContextVar[Path | None] = ContextVar("a cache of its own", default=None)


def cache_folder() -> Path:
    """Return the folder for everything that can be made again: ``RADVQA_CACHE``, else the user's cache folder."""
    own = _CACHE.get()
    if own is not None:
        return own
    named = os.environ.get("RADVQA_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "radvqa"


@contextmanager
def cache_in(folder: Path) -> Iterator[None]:
    """Point the cache of this thread at another folder for a while, where what must not be kept is worked on."""
    reset = _CACHE.set(folder)
    try:
        yield
    finally:
        _CACHE.reset(reset)


@contextmanager
def cold_cache(folder: Path) -> Iterator[None]:
    """Point the cache at another folder for a while, to time work that nothing was prepared for."""
    before = os.environ.get("RADVQA_CACHE")
    os.environ["RADVQA_CACHE"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["RADVQA_CACHE"]
        else:
            os.environ["RADVQA_CACHE"] = before


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it is flushed to disk and renamed over ``path``.

    A process killed at any moment leaves either the old file or the new one, never a part of one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _flush(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; on success it takes its place.

    A folder that somebody else put there in the meantime is kept, and ours is dropped.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part"))
    try:
        yield temporary
        for written in temporary.rglob("*"):
            if written.is_file():
                _flush(written)
        temporary.chmod(0o777 & ~_umask())
        try:
            temporary.rename(path)
        except OSError:
            if not path.is_dir():
                raise
        _flush(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Delete what killed writers left half done, in a folder and all below; nobody may be writing there."""
    for torn in list(folder.rglob(".*.part")):
        if torn.is_dir():
            shutil.rmtree(torn)
        else:
            torn.unlink(missing_ok=True)  # went with a folder


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON, whole or not at all; NaN and infinities are refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_jsonl(path: Path, rows: Iterable[Any]) -> None:
    """Write one JSON value a line, whole or not at all; NaN and infinities are refused."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as handle:
        for row in rows:
            handle.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def write_arrays(path: Path, **arrays: "NDArray[Any]") -> None:
    """Write named arrays as a compressed ``.npz``, whole or not at all."""
    import numpy as np

    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(handle, allow_pickle=False, **arrays)


def read_text(path: Path) -> str:
    """Read UTF-8 text.

    Raises:
        DataError: when the file is absent, not readable or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"{path} does not exist.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (byte {error.start}).") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        DataError: when the file is absent or is not JSON; the message names line and column.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path} is not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from None


def read_jsonl(path: Path) -> Iterator[Any]:
    """Read one JSON value a line, skipping blank lines.

    Raises:
        DataError: when the file is absent or a line is not JSON.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"{path}, line {number} is not valid JSON: {error.msg}.") from None


@contextmanager
def locked(path: Path, *, what: str, wait: bool | float = True) -> Iterator[None]:
    """Hold an exclusive lock; the lock is the operating system's and ends with the process.

    Args:
        path: the lock file.
        what: what is locked, for the message.
        wait: wait for the other process, as long as it takes or so many seconds, or refuse at once.

    Raises:
        RadvqaError: when another process holds the lock and that is not waited for.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=-1 if wait is True else float(wait))
    except filelock.Timeout:
        raise RadvqaError(f"{what} is in use by another process; wait for it to end, or choose another.") from None
    try:
        yield
    finally:
        lock.release()


class Log:
    """One JSON value a line that a process adds to while it works; what a kill left half written is dropped.

    A line counts once its end is written. Opening the log again finds the lines that count; ``keep`` shortens it to
    those that a resumed process goes on from.

    Args:
        path: the file; made when it is absent.

    Raises:
        DataError: when the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        self._cut(_whole_lines(path)[1])

    def rows(self) -> Iterator[Any]:
        """Read what is in the log.

        Raises:
            DataError: when a line is not JSON.
        """
        return read_jsonl(self.path)

    def add(self, rows: Sequence[Any]) -> None:
        """Add lines at the end and flush them to disk; NaN and infinities are refused."""
        text = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
        before = self.path.stat().st_size
        try:
            with self.path.open("ab") as handle:
                handle.write(text.encode("utf-8"))
                handle.flush()
                os.fsync(handle.fileno())
        except OSError:
            os.truncate(self.path, before)  # a full disk took a part, which would spoil the next line
            raise

    def keep(self, belongs: Callable[[Any], bool]) -> None:
        """Drop everything from the first line on that does not belong, or that is not JSON.

        Lines behind it are of a later time, so they go too.
        """
        kept = 0
        for line in _whole_lines(self.path)[0]:
            try:
                row = json.loads(line)
            except ValueError:
                break
            if not belongs(row):
                break
            kept += len(line)
        self._cut(kept)

    def _cut(self, size: int) -> None:
        if self.path.stat().st_size > size:
            os.truncate(self.path, size)
            _flush(self.path)


def _whole_lines(path: Path) -> tuple[list[bytes], int]:
    """Return the lines that have an end, and how many bytes they take."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    whole = [line + b"\n" for line in content.split(b"\n")[:-1]]  # behind the last end is nothing, or a torn line
    return whole, sum(map(len, whole))
