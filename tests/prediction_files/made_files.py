"""Small made-up files in the layouts under test."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from radvqa import files


def json_lines(path: Path, *rows: Any) -> Path:
    files.write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def json_document(path: Path, value: Any) -> Path:
    files.write_text(path, json.dumps(value, ensure_ascii=False, indent=2))
    return path


def delimited(path: Path, columns: list[str], *rows: list[Any], separator: str = ",") -> Path:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator)
    writer.writerows([columns, *rows])
    files.write_bytes(path, text.getvalue().encode())
    return path


def row(**changes: Any) -> dict[str, Any]:
    """A row of ours; a change to ``...`` leaves the key out."""
    made = {"id": "1", "question": "Is it there?", "answer": "Yes", "prediction": "no", "answer_type": "CLOSED"}
    return {key: value for key, value in {**made, **changes}.items() if value is not ...}
