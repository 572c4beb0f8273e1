"""The review queue: pairs, who looks at which, and every decision, in one SQLite file.

Decisions are only ever added; one that is undone is marked. So nothing is lost by a second click, a reload, a killed
server, or two servers on one file: each write is one transaction, and SQLite lets one writer in at a time.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from radvqa.curating.pair import Pair
from radvqa.database import Database
from radvqa.errors import RadvqaError, nearest
from radvqa.reviewing.decision import REASONS, VERDICTS, Decision, Verdict

LEASE_SECONDS = 600.0
"""For so long a pair that one reviewer looks at is offered to no other."""

_APPLICATION = 0x52565147  # marks the file as ours
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pairs (
    id TEXT PRIMARY KEY, place INTEGER NOT NULL, opinions INTEGER NOT NULL, pair TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pairs_by_place ON pairs (place);
CREATE TABLE IF NOT EXISTS decisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, pair TEXT NOT NULL, reviewer TEXT NOT NULL, verdict TEXT NOT NULL,
    question TEXT, answer TEXT, reasons TEXT NOT NULL, token TEXT NOT NULL UNIQUE, at REAL NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS decisions_by_pair ON decisions (pair, undone);
CREATE INDEX IF NOT EXISTS decisions_by_reviewer ON decisions (reviewer, undone, number);
CREATE TABLE IF NOT EXISTS leases (
    pair TEXT NOT NULL, reviewer TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (pair, reviewer)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS openings (place INTEGER PRIMARY KEY, id TEXT NOT NULL, missing INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS openings_left ON openings (place) WHERE missing > 0;
"""
_LONGEST_NAME = 60


class ReviewError(RadvqaError):
    """What cannot be done with a review queue: file and reason named in the message."""


class ReviewQueue:
    """A queue on disk.

    Args:
        path: of the file; made when pairs are added.
        clock: seconds since 1970.

    Raises:
        ReviewError: when the file is damaged or is no review queue.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = Path(path)
        self._clock = clock
        self._database = Database(self.path, _APPLICATION, _SCHEMA, "review queue", ReviewError).transaction
        with self._database():
            pass

    def add(self, pairs: Sequence[Pair], overlap: float = 0.1) -> int:
        """Add pairs that the queue does not hold, behind those that it holds.

        Args:
            pairs: in the order in which they shall be looked at.
            overlap: share of them that two reviewers judge, so that agreement can be measured; which ones depends on
                their ids alone.

        Returns:
            how many were new.
        """
        if not 0 <= overlap <= 1:
            raise ReviewError(f"The share that two reviewers judge must lie between 0 and 1, found {overlap:g}.")
        with self._database() as database:
            known = {row[0] for row in database.execute("SELECT id FROM pairs")}
            place = database.execute("SELECT COALESCE(MAX(place), 0) FROM pairs").fetchone()[0]
            new = [pair for pair in pairs if pair.id not in known]
            rows = [
                (pair.id, place + number, 2 if _falls(pair.id, overlap) else 1, json.dumps(pair.plain()))
                for number, pair in enumerate(new, start=1)
            ]
            database.executemany("INSERT INTO pairs VALUES (?, ?, ?, ?)", rows)
            database.executemany("INSERT INTO openings VALUES (?, ?, ?)", [(p, name, n) for name, p, n, _ in rows])
        return len(new)

    def next(self, reviewer: str, count: int = 1, after: Sequence[str] = ()) -> list[Pair]:
        """Offer the pairs that a reviewer should look at next, and keep them from others for a while.

        Args:
            reviewer: who asks.
            count: at most so many.
            after: ids that the page holds already.

        Raises:
            ReviewError: for a name that cannot be one.
        """
        reviewer = checked_name(reviewer)
        now = self._clock()
        with self._database() as database:
            database.execute("DELETE FROM leases WHERE until < ?", (now,))
            found = database.execute(
                "SELECT o.id FROM openings o WHERE o.missing > 0 AND o.missing > "
                "(SELECT COUNT(*) FROM leases l WHERE l.pair = o.id AND l.reviewer != :who) "
                "AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.pair = o.id AND d.reviewer = :who AND d.undone = 0) "
                "AND o.id NOT IN (SELECT value FROM json_each(:held)) ORDER BY o.place LIMIT :count",
                {"who": reviewer, "held": json.dumps(list(after)), "count": count},
            ).fetchall()
            ids = [row[0] for row in found]
            database.executemany(
                "INSERT OR REPLACE INTO leases VALUES (?, ?, ?)",
                [(name, reviewer, now + LEASE_SECONDS) for name in ids],
            )
            return [_pair(database, name) for name in ids]

    def decide(self, decision: Decision) -> bool:
        """Write a decision; one that supersedes the same reviewer's earlier one marks that as undone.

        Returns:
            False where the same decision (by its token) is there already.

        Raises:
            ReviewError: for an unknown pair, verdict or tag, a name that cannot be one, or an empty text.
        """
        reviewer = checked_name(decision.reviewer)
        if decision.verdict not in VERDICTS:
            raise ReviewError(f"There is no verdict {decision.verdict!r}; one of {', '.join(VERDICTS)}.")
        for reason in decision.reasons:
            if reason not in REASONS:
                raise ReviewError(f"There is no tag {reason!r}; {nearest(reason, list(REASONS))}")
        if any(text is not None and not text.strip() for text in (decision.question, decision.answer)):
            raise ReviewError("Question and answer must not be empty; discard the pair instead.")
        with self._database() as database:
            if database.execute("SELECT 1 FROM pairs WHERE id = ?", (decision.pair,)).fetchone() is None:
                raise ReviewError(f"There is no pair {decision.pair!r} in {self.path}.")
            if database.execute("SELECT 1 FROM decisions WHERE token = ?", (decision.token,)).fetchone():
                return False
            database.execute(
                "UPDATE decisions SET undone = 1 WHERE pair = ? AND reviewer = ? AND undone = 0",
                (decision.pair, reviewer),
            )
            database.execute(
                "INSERT INTO decisions (pair, reviewer, verdict, question, answer, reasons, token, at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    decision.pair,
                    reviewer,
                    decision.verdict,
                    decision.question,
                    decision.answer,
                    json.dumps(list(decision.reasons)),
                    decision.token,
                    self._clock(),
                ),
            )
            database.execute("DELETE FROM leases WHERE pair = ? AND reviewer = ?", (decision.pair, reviewer))
            _count_missing(database, decision.pair)
        return True

    def undo(self, reviewer: str) -> Pair | None:
        """Take back a reviewer's last decision, and offer its pair again; None when there is none."""
        reviewer = checked_name(reviewer)
        with self._database() as database:
            last = database.execute(
                "SELECT number, pair FROM decisions WHERE reviewer = ? AND undone = 0 ORDER BY number DESC LIMIT 1",
                (reviewer,),
            ).fetchone()
            if last is None:
                return None
            database.execute("UPDATE decisions SET undone = 1 WHERE number = ?", (last[0],))
            until = self._clock() + LEASE_SECONDS
            database.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?)", (last[1], reviewer, until))
            _count_missing(database, last[1])
            return _pair(database, last[1])

    def pair(self, name: str) -> Pair:
        """Return a pair as it was added.

        Raises:
            ReviewError: when there is none of this id.
        """
        with self._database() as database:
            return _pair(database, name)

    def pairs(self) -> list[Pair]:
        """Return all pairs in their order."""
        with self._database() as database:
            rows = database.execute("SELECT pair FROM pairs ORDER BY place")
            return [Pair.of_plain(json.loads(row[0]), str(self.path)) for row in rows]

    def decisions(self) -> list[Decision]:
        """Return the decisions that hold, in the order in which they were made."""
        with self._database() as database:
            rows = database.execute(
                "SELECT pair, reviewer, verdict, question, answer, reasons, token, at FROM decisions "
                "WHERE undone = 0 ORDER BY number"
            )
            return [
                Decision(pair, who, cast("Verdict", said), question, answer, tuple(json.loads(why)), token, at)
                for pair, who, said, question, answer, why, token, at in rows
            ]

    def progress(self, reviewer: str | None = None) -> dict[str, int]:
        """Count pairs: ``pairs``, those ``done``, ``left``, and verdicts by name; of one reviewer or of all."""
        with self._database() as database:
            pairs = database.execute("SELECT COUNT(*) FROM pairs").fetchone()[0]
            left = database.execute("SELECT COUNT(*) FROM openings WHERE missing > 0").fetchone()[0]
            where, values = ("", ()) if reviewer is None else (" AND reviewer = ?", (reviewer,))
            counted = dict(
                database.execute(
                    f"SELECT verdict, COUNT(*) FROM decisions WHERE undone = 0{where} GROUP BY verdict",  # noqa: S608
                    values,
                ).fetchall()
            )
        return {"pairs": pairs, "left": left, "done": pairs - left, **{v: counted.get(v, 0) for v in VERDICTS}}


def checked_name(reviewer: str) -> str:
    """Return a reviewer's name without surplus spaces.

    Raises:
        ReviewError: for an empty or very long one, or one with control characters.
    """
    name = " ".join(reviewer.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise ReviewError(f"A reviewer needs a name of 1 to {_LONGEST_NAME} letters, found {reviewer[:80]!r}.")
    return name


def _pair(database: sqlite3.Connection, name: str) -> Pair:
    row = database.execute("SELECT pair FROM pairs WHERE id = ?", (name,)).fetchone()
    if row is None:
        raise ReviewError(f"There is no pair {name!r} in the queue.")
    return Pair.of_plain(json.loads(row[0]), f"pair {name}")


def _count_missing(database: sqlite3.Connection, name: str) -> None:
    """Say how many opinions a pair still needs; a skip is none, and asks for somebody else's."""
    wanted = database.execute("SELECT opinions FROM pairs WHERE id = ?", (name,)).fetchone()[0]
    given = database.execute(
        "SELECT COUNT(*) FROM decisions WHERE pair = ? AND undone = 0 AND verdict != 'skip'", (name,)
    ).fetchone()[0]
    database.execute("UPDATE openings SET missing = ? WHERE id = ?", (max(0, wanted - given), name))


def _falls(name: str, share: float) -> bool:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") < share * 2**32
