"""Points from run folders: one a run, or one run's whole history."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.errors import RunError, nearest
from radvqa.run import Run
from radvqa.scaling.points import Points, make

DATA = ("distinct", "seen")
AT = ("best", "lowest", "last")
TIMES = ("step", "epoch", "samples", "tokens")

_SIZES = {"trainable_parameters": "trainable", "total_parameters": "total"}


def points_of_runs(folders: Sequence[Path], *, x: str, d: str, loss: str, at: str) -> Points:
    """Take one point from each finished run.

    Args:
        folders: the run folders.
        x: what X is: ``trainable_parameters``, ``total_parameters``, or a number of the recipe such as
            ``model.lora.r``.
        d: what D is: ``distinct`` training samples, or samples ``seen`` up to the evaluation that is taken, repeats
            counted.
        loss: column of the history, for instance ``val_loss``.
        at: which evaluation: the ``best`` one (that was kept), the one of ``lowest`` loss, or the ``last``.

    Raises:
        RunError: for a run that is unfinished or lacks one of the numbers; names the run and what it has.
    """
    rows, losses, labels = [], [], []
    for folder in folders:
        run = Run(folder)
        run.require_finished()
        evaluation = _chosen(run, loss, at)
        rows.append([_size(run, x), _data(run, d, evaluation)])
        losses.append(_above_zero(evaluation[loss], f"{loss} of {folder}"))
        labels.append(run.name)
    return make(("x", "d"), rows, losses, labels)


def points_of_history(folder: Path, *, t: str | None, loss: str) -> tuple[Points, str]:
    """Take one point from each evaluation of a run.

    Args:
        folder: the run folder; it may still be training.
        t: what time is: ``step``, ``epoch``, ``samples`` or ``tokens``; the first of these that is known by default.
        loss: column of the history.

    Returns:
        The points, and what time is.

    Raises:
        RunError: when the run has no history, or not that column.
    """
    run = Run(folder)
    history = _history(run, loss)
    if t is None:
        t = next((name for name in TIMES if all(row.get(name) for row in history)), "epoch")
    if not all(row.get(t) for row in history):
        known = sorted({name for name in TIMES for row in history if row.get(name)})
        raise RunError(f"The history of {folder} does not have {t!r} in every row; {nearest(t, known)}")
    losses = [_above_zero(row[loss], f"{loss} of {folder} at {t} {row[t]}") for row in history]
    return make(("t",), [[row[t]] for row in history], losses, [f"{t} {row[t]}" for row in history]), t


def answer_lists(folders: Sequence[Path]) -> str | None:
    """Say so when runs choose their answers from lists of different length, which puts their losses on other scales."""
    known = []
    for folder in folders:
        path = Run(folder).checkpoints / "model.json"
        listed = files.read_json(path).get("answers") if path.is_file() else None
        if isinstance(listed, Mapping) and "answers" in listed:
            known.append(len(listed["answers"]))
    if len(set(known)) < 2:
        return None
    return (
        f"The models choose among {min(known)} to {max(known)} answers, because a classifier's list is that of its own "
        f"training samples: their losses are not on one scale, and the law describes these runs at most."
    )


def _history(run: Run, loss: str) -> list[dict[str, Any]]:
    rows = [row for row in run.history if row.get(loss) is not None]
    if not rows:
        known = sorted({key for row in run.history for key, value in row.items() if key.endswith("loss") and value})
        if not known:
            raise RunError(f"{run.folder} has no history with losses.")
        raise RunError(f"The history of {run.folder} has no {loss!r}; {nearest(loss, known)}")
    return rows


def _chosen(run: Run, loss: str, at: str) -> dict[str, Any]:
    rows = _history(run, loss)
    if at == "lowest":
        return min(rows, key=lambda row: float(row[loss]))
    if at == "last":
        return rows[-1]
    best = [row for row in rows if row.get("best")]
    if not best:
        raise RunError(f"The history of {run.folder} does not say which evaluation was the best; use --at lowest.")
    return best[-1]


def _size(run: Run, x: str) -> float:
    if x in _SIZES:
        value = run.facts.get("parameters", {}).get(_SIZES[x])
    else:
        numbers = dict(_numbers(run.recipe))
        if x not in numbers:
            raise RunError(f"--x {x}: no number of the recipe of {run.folder}; {nearest(x, [*_SIZES, *numbers])}")
        value = numbers[x]
    return _above_zero(value, f"{x} of {run.folder}")


def _numbers(section: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number of a recipe with its dotted key."""
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{above}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{above}{key}", value


def _data(run: Run, d: str, evaluation: Mapping[str, Any]) -> float:
    distinct = _distinct(run)
    if d == "distinct":
        return _above_zero(distinct, f"the number of training samples of {run.folder}")
    seen = evaluation.get("samples")
    if seen is None and distinct is not None:
        seen = distinct * evaluation.get("epoch", 0)  # every epoch is one pass
    return _above_zero(seen, f"the number of samples seen by {run.folder}")


def _distinct(run: Run) -> int | None:
    """Count the training samples; those that several stages of a curriculum share count once."""
    learned = {
        part["digest"]: part["questions"]
        for name, part in run.provenance.get("data", {}).items()
        if name != "select" and not name.endswith(": select")
    }
    return sum(learned.values()) if learned else None


def _above_zero(value: object, what: str) -> float:
    if isinstance(value, int | float) and math.isfinite(value) and value > 0:
        return float(value)
    raise RunError(f"{what} is {value!r}; a law needs a number above 0.")
