"""Replies by what was asked, on disk: a request that was answered once is never sent again."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from radvqa.endpoint.error import EndpointError
from radvqa.endpoint.exchange import Reply

_SCHEMA = "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL)"
_KEYS_PER_QUERY = 500  # SQLite limits the number of ? in one statement


class ReplyCache:
    """Replies by key, in one SQLite file with a write-ahead log.

    Each reply is a transaction of its own, so a process killed at any moment leaves every reply that arrived before.
    Several processes may use one file.

    Args:
        path: the file; made when it is first written.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def find(self, keys: Iterable[str]) -> dict[str, Reply]:
        """Return the replies that are known, by key.

        Raises:
            EndpointError: when the file is damaged or is no cache of replies.
        """
        if not self.path.exists():
            return {}
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Reply] = {}
        with self._told(), closing(self._connect()) as database:
            for start in range(0, len(wanted), _KEYS_PER_QUERY):
                part = wanted[start : start + _KEYS_PER_QUERY]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, reply FROM replies WHERE key IN ({marks})"  # noqa: S608
                found |= {key: Reply(**json.loads(reply)) for key, reply in database.execute(query, part)}
        return found

    @contextmanager
    def writing(self) -> Iterator[Callable[[str, Reply], None]]:
        """Yield a function that stores one reply, on disk when it returns.

        Raises:
            EndpointError: when the file cannot be written, is damaged or is no cache of replies.
        """
        with self._told():
            database = self._connect()

        def store(key: str, reply: Reply) -> None:
            row = json.dumps(asdict(reply))  # ASCII, so that half a character pair can be stored too
            with self._told(), database:
                database.execute("INSERT OR REPLACE INTO replies VALUES (?, ?)", (key, row))

        with closing(database):
            yield store

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self.path, timeout=60)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(_SCHEMA)
        except sqlite3.Error:
            database.close()
            raise
        return database

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say what is wrong with the file in a sentence."""
        try:
            yield
        except (OSError, sqlite3.OperationalError) as error:  # no folder, no space, locked
            raise EndpointError(
                f"Replies cannot be kept in {self.path} ({error}); name a file in a folder that can be written to."
            ) from None
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            raise EndpointError(
                f"{self.path} is damaged or is no cache of replies ({error}); name another file, or delete this one "
                f"and what it answered is asked anew."
            ) from None
