"""An SQLite file that keeps what people said: each write is one transaction, on disk when it returns."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from radvqa.errors import RadvqaError

_PATIENCE = 30  # seconds to wait for another writer


@dataclass(frozen=True)
class Database:
    """A file of one kind; several processes may use it at a time.

    Nothing that was committed is lost by a killed process or a machine without power: the write-ahead log is flushed
    with every transaction.

    Attributes:
        path: the file; made when it is first opened.
        mark: that tells files of this kind from others.
        schema: statements that make the tables.
        what: the file is, for messages.
        refused: the error that is raised.
    """

    path: Path
    mark: int
    schema: str
    what: str
    refused: type[RadvqaError] = RadvqaError

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction; what fails leaves no trace.

        Raises:
            RadvqaError: when the file is damaged, is of another kind, or cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)) as database:
                self._prepare(database)
                database.execute("BEGIN IMMEDIATE")
                try:
                    yield database
                except BaseException:
                    database.execute("ROLLBACK")
                    raise
                database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise self.refused(
                f"{self.path} cannot be used ({error}); is it on a disk that can be written to?"
            ) from None
        except sqlite3.DatabaseError as error:
            raise self.refused(f"{self.path} is damaged or is no {self.what} ({error}); name another file.") from None

    def _prepare(self, database: sqlite3.Connection) -> None:
        database.execute("PRAGMA synchronous=FULL")
        mark = _mark(database)
        if mark == self.mark:
            return
        if mark or database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
            if _mark(database) == self.mark:
                return  # another process made the tables between our two looks
            raise sqlite3.DatabaseError("it holds something else")
        database.execute("PRAGMA journal_mode=WAL")
        database.executescript(f"BEGIN IMMEDIATE; {self.schema} PRAGMA application_id={self.mark}; COMMIT;")


def _mark(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA application_id").fetchone()[0])
