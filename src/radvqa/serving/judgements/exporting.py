"""Judgements as files: CSV for spreadsheets, JSON lines for programs; both are predictions files that can be scored."""

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from radvqa.diagnosing.sheet_file import guarded
from radvqa.serving.judgements.judgement import Judgement

COLUMNS = (
    *("id", "image", "question", "gold", "prediction", "confidence", "verdict", "better", "comment"),
    *("reader", "time", "model", "data", "split", "replaced", "number"),
)
"""``image`` is the digest of the picture; ``id`` is the sample's, or names picture and question."""

_MARK = "\ufeff"  # tells spreadsheets that the file is UTF-8


def row(one: Judgement) -> dict[str, Any]:
    """A judgement under the names of the columns."""
    return {
        "id": one.sample or f"{one.picture[:16]}-{hashlib.sha256(one.question.encode()).hexdigest()[:8]}",
        "image": one.picture,
        "question": one.question,
        "gold": one.gold,
        "prediction": one.answer or "",
        "confidence": one.confidence,
        "verdict": one.verdict,
        "better": one.better,
        "comment": one.comment,
        "reader": one.reader,
        "time": datetime.fromtimestamp(one.at, UTC).isoformat(timespec="seconds"),
        "model": one.model,
        "data": one.data,
        "split": one.split,
        "replaced": one.replaced,
        "number": one.number,
    }


def as_csv(judgements: Sequence[Judgement]) -> str:
    """Write CSV; cells that a spreadsheet would take for a formula get an apostrophe in front."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in judgements:
        values = row(one)
        writer.writerow([_cell(values[name]) for name in COLUMNS])
    return _MARK + buffer.getvalue()


def as_jsonl(judgements: Sequence[Judgement]) -> str:
    """Write one JSON object a line."""
    return "".join(json.dumps(row(one), ensure_ascii=False, allow_nan=False) + "\n" for one in judgements)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return guarded(value) if isinstance(value, str) else str(value)


FORMATS = {".csv": as_csv, ".jsonl": as_jsonl}
"""How a file is written, by the ending of its name."""
