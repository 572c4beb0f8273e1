"""How a training goes, read while it goes: lines that are not whole yet are left for the next look."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from radvqa.run import Run

MOST_STEPS = 400
"""Points of the step log that a curve shows at most."""

_SHOWN = ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "val_token_f1")


def history(run: Run) -> dict[str, Any]:
    """Return the curve of a run.

    Returns:
        ``x``, what looks are counted in, ``step`` or ``epoch``; ``points``, one for each look; ``steps``, the loss
        between looks, thinned out; ``stages``, where each begins and ends; ``state``.
    """
    looks = [row for row in whole_rows(run.folder / "history.jsonl") if isinstance(row, dict)]
    x = "step" if looks and all(isinstance(row.get("step"), int) for row in looks) else "epoch"
    logged = [
        row
        for row in whole_rows(run.folder / "log" / "steps.jsonl")
        if isinstance(row, dict) and isinstance(row.get("step"), int)
    ]
    losses = [row for row in logged if _number(row.get("loss")) is not None]
    if not looks:
        x = "step" if losses else "epoch"
    return {
        "state": "finished" if run.finished else "training",
        "x": x,
        "points": [_point(row, x) for row in looks if isinstance(row.get(x), int)],
        "steps": [{"x": row["step"], "loss": _number(row["loss"])} for row in _thinned(losses)] if x == "step" else [],
        "stages": _stages(logged if x == "step" else [], looks, x),
    }


def whole_rows(path: Path) -> Iterator[Any]:
    """Read the lines of a file that have an end and are JSON; a line that is being written is not whole yet."""
    try:
        content = path.read_bytes()
    except OSError:
        return
    for line in content.split(b"\n")[:-1]:
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _point(row: dict[str, Any], x: str) -> dict[str, Any]:
    shown = {name: _number(row.get(name)) for name in _SHOWN}
    return {"x": row[x], "stage": row.get("stage"), "best": bool(row.get("best")), **shown}


def _number(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None


def _thinned(rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Keep some rows evenly, the last always."""
    if len(rows) <= MOST_STEPS:
        return rows
    step = len(rows) / MOST_STEPS
    return [*(rows[int(place * step)] for place in range(MOST_STEPS - 1)), rows[-1]]


def _stages(logged: Sequence[dict[str, Any]], looks: Sequence[dict[str, Any]], x: str) -> list[dict[str, Any]]:
    """Return the stages with the steps that they end at; none where there is only one."""
    ends: dict[str, int] = {}
    for row in (*logged, *looks):
        name, at = row.get("stage"), row.get(x)
        if isinstance(name, str) and isinstance(at, int):
            ends[name] = max(ends.get(name, 0), at)
    if len(ends) < 2:
        return []
    ordered = sorted(ends.items(), key=lambda item: item[1])
    begins = [0, *(end for _, end in ordered[:-1])]
    return [{"name": name, "begins": begin, "ends": end} for (name, end), begin in zip(ordered, begins, strict=True)]
