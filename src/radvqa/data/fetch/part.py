"""A file that is still coming: ``NAME.part``, and beside it ``NAME.part.json`` that says how much of it is sure."""

import hashlib
import os
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from radvqa import files
from radvqa.data.fetch import disk
from radvqa.errors import DataError

CHECKPOINT = 8 * 2**20
"""Bytes after which what came is flushed to disk and noted; a killed process loses no more than these."""

_BLOCK = 2**20


class Part:
    """What came so far, with its digest. Bytes that the note does not vouch for are cut off when it is taken up.

    Args:
        path: what the file will be called when it is whole.
        url: where it comes from; a part of another address is thrown away.

    Attributes:
        length: bytes that are there.
        digest: SHA-256 over them.
        validator: what ``If-Range`` takes to make sure that the rest is of the same file; empty when the server
            gave nothing that can be used so.
        total: bytes of the whole file; None when not known.
    """

    def __init__(self, path: Path, url: str) -> None:
        self.path, self.url = path, url
        self.file = path.with_name(f"{path.name}.part")
        self.note = path.with_name(f"{path.name}.part.json")
        self.length, self.digest = 0, hashlib.sha256()
        self.validator = ""
        self.total: int | None = None
        self._noted = 0
        self._closing = ExitStack()

    def __enter__(self) -> "Part":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = self._closing.enter_context(self.file.open("ab", buffering=0))
        self._take_up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._closing:
            if self.file.exists() and self.length > self._noted:
                with suppress(OSError):  # a full disk has no room for a note; the last one still holds
                    self.checkpoint()

    def append(self, content: bytes) -> None:
        """Write what came next.

        Raises:
            DataError: when it cannot be written, as on a full disk; what was noted before stays good.
        """
        rest = memoryview(content)
        try:
            while rest:
                written = self._handle.write(rest)
                self.digest.update(rest[:written])
                self.length += written
                rest = rest[written:]
            if self.length - self._noted >= CHECKPOINT:
                self.checkpoint()
        except OSError as error:
            needed = max(len(rest), (self.total or 0) - self.length)
            raise disk.cannot_write(self.file, needed, error, self.url) from None

    def checkpoint(self) -> None:
        """Flush what came and note its length and digest."""
        os.fsync(self._handle.fileno())
        note = {"url": self.url, "validator": self.validator, "total": self.total}
        files.write_json(self.note, {**note, "length": self.length, "sha256": self.digest.hexdigest()})
        self._noted = self.length

    def restart(self) -> None:
        """Forget what came."""
        self.note.unlink(missing_ok=True)
        self._handle.truncate(0)
        self.length, self.digest, self._noted = 0, hashlib.sha256(), 0
        self.validator, self.total = "", None

    def discard(self) -> None:
        """Delete the part and its note."""
        self.restart()
        self.file.unlink(missing_ok=True)

    def finish(self) -> None:
        """Give the file its name: it is whole."""
        with files.atomic_path(self.path) as temporary:
            self.file.replace(temporary)
        self.note.unlink(missing_ok=True)

    def _take_up(self) -> None:
        """Go on from the last note, if the bytes are those that it vouches for."""
        note = self._read_note()
        if note and note["url"] == self.url and self._hash(note["length"]) == note["sha256"]:
            self._handle.truncate(note["length"])
            self.length = self._noted = note["length"]
            self.validator, self.total = note["validator"], note["total"]
        else:
            self.restart()

    def _read_note(self) -> dict[str, Any] | None:
        try:
            note = files.read_json(self.note)
        except DataError:
            return None
        wanted = {"url": str, "validator": str, "total": int | None, "length": int, "sha256": str}
        fits = isinstance(note, dict) and all(key in note and isinstance(note[key], wanted[key]) for key in wanted)
        return note if fits and note["length"] >= 0 else None

    def _hash(self, length: int) -> str:
        """Digest the first ``length`` bytes; it stays in ``self.digest``, to be gone on with."""
        self.digest = hashlib.sha256()
        with self.file.open("rb") as handle:
            while length and (block := handle.read(min(_BLOCK, length))):
                self.digest.update(block)
                length -= len(block)
        return self.digest.hexdigest() if not length else ""
