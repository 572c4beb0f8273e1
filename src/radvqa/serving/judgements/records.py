"""Judgements on disk: one SQLite file to which lines are only ever added."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from radvqa.database import Database
from radvqa.reviewing.queue import checked_name
from radvqa.serving.judgements.judgement import Judgement

_APPLICATION = 0x52564A31  # marks the file as ours
_GIVEN = (
    *("token", "reader", "verdict", "model", "picture", "question", "answer", "confidence"),
    *("better", "comment", "data", "split", "sample", "gold", "at"),
)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS judgements (
    number INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, reader TEXT NOT NULL, verdict TEXT NOT NULL,
    model TEXT NOT NULL, picture TEXT NOT NULL, question TEXT NOT NULL, answer TEXT, confidence REAL,
    better TEXT NOT NULL, comment TEXT NOT NULL, data TEXT NOT NULL, split TEXT NOT NULL, sample TEXT NOT NULL,
    gold TEXT, at REAL NOT NULL
);
"""


class Records:
    """All judgements; a reader's later one about the same answer replaces the earlier one, which stays in the file.

    Args:
        path: of the file; made when something is first kept.
        clock: seconds since 1970.

    Raises:
        RadvqaError: when the file is damaged or holds something else.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = Path(path)
        self._clock = clock
        self._database = Database(self.path, _APPLICATION, _SCHEMA, "file of judgements")
        self.all()  # what cannot be used is told when the service starts, not when somebody has judged

    def keep(self, judgement: Judgement) -> tuple[Judgement, bool]:
        """Keep a judgement; it is on disk when this returns.

        Returns:
            the judgement as it is kept, and whether it is new: one with the same token is there already when it is not.

        Raises:
            RadvqaError: for a name that cannot be one, or when the file cannot be written.
        """
        one = replace(judgement, reader=checked_name(judgement.reader), at=self._clock())
        marks = ", ".join("?" * len(_GIVEN))
        with self._database.transaction() as database:
            values = [getattr(one, name) for name in _GIVEN]
            added = database.execute(
                f"INSERT OR IGNORE INTO judgements ({', '.join(_GIVEN)}) VALUES ({marks})",  # noqa: S608 - our names
                values,
            ).rowcount
            found = database.execute(f"{_SELECT} WHERE token = ?", (one.token,)).fetchone()
        return _judgement(found), bool(added)

    def all(self) -> list[Judgement]:
        """Return all judgements in the order of their coming.

        Raises:
            RadvqaError: when the file cannot be read.
        """
        if not self.path.exists():
            return []
        with self._database.transaction() as database:
            rows = database.execute(f"{_SELECT} ORDER BY number").fetchall()
        found = [_judgement(row) for row in rows]
        latest = {(one.reader, one.judged): one.number for one in found}
        return [replace(one, replaced=latest[one.reader, one.judged] != one.number) for one in found]

    def standing(self) -> list[Judgement]:
        """Return the judgements that no later one replaces."""
        return [one for one in self.all() if not one.replaced]


_SELECT = f"SELECT number, {', '.join(_GIVEN)} FROM judgements"  # noqa: S608 - our names


def _judgement(row: tuple[Any, ...]) -> Judgement:
    number, *values = row
    return Judgement(number=number, **dict(zip(_GIVEN, values, strict=True)))
