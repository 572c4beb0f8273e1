"""The run's own log: ``steps.jsonl``, added to during the run, and the same as ``steps.csv`` at its end."""

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radvqa import files

Value = float | str | None

_HELD = 200  # rows in memory at most


class StepLog:
    """A log whose rows after an interruption are those of a run that was not interrupted.

    Args:
        folder: for ``steps.jsonl`` and ``steps.csv``.
        from_step: the step that the run goes on from, whose rows and all before are kept; 0 begins anew.
    """

    def __init__(self, folder: Path, from_step: int = 0) -> None:
        self.csv = folder / "steps.csv"
        self.csv.unlink(missing_ok=True)
        self.log = files.Log(folder / "steps.jsonl")
        self.held: list[dict[str, Any]] = []
        self.truncate(from_step)

    def truncate(self, step: int) -> None:
        """Drop the rows after a step; 0 drops all."""
        self.held = [row for row in self.held if row["step"] <= step]
        self.log.keep(lambda row: isinstance(row, dict) and 0 < row.get("step", 0) <= step)

    def add(self, step: int, values: Mapping[str, Value]) -> None:
        """Add a row; numbers that are not finite become null, which JSON can hold."""
        self.held.append({"step": step, **{name: _finite(value) for name, value in values.items()}})
        if len(self.held) >= _HELD:
            self.flush()

    def flush(self) -> None:
        """Write what is held to disk."""
        if self.held:
            self.log.add(self.held)
            self.held = []

    def close(self) -> None:
        """Write the rest, and the table."""
        self.flush()
        rows = list(self.log.rows())
        columns = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        table = csv.DictWriter(text, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        files.write_text(self.csv, text.getvalue())


def _finite(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value
