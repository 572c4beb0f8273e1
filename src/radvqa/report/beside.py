"""A predictions file beside a run that answered the same questions: the run says what each question is about."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from radvqa.errors import DataError
from radvqa.prediction import Prediction
from radvqa.prediction_files import ReadFile, read

_FEWEST = 0.5  # share of the questions that a file must answer to be about them


def beside(path: Path, asked: Sequence[Prediction]) -> tuple[list[Prediction], list[str]] | None:
    """Read a file as answers to given questions; a question that it leaves out is missing and counts as wrong.

    Args:
        path: the file; it may lack gold answers, pictures and labels.
        asked: a run's predictions, to take question, gold answer and labels from.

    Returns:
        The file's answer to each question, and sentences about what was assumed; None where the file is about other
        questions, or answers less than half of these. What the run's training knew of a question is not the file's.
    """
    try:
        found = read(path, gold=asked)
    except DataError:
        return None
    missing = sum(p.missing for p in found.predictions)
    if missing > _FEWEST * len(asked) or _asks_otherwise(path, asked):
        return None
    unknown = [replace(p, answer_seen=None, answer_count=None, question_seen=None) for p in found.predictions]
    return unknown, [note for note in found.notes if "count as wrong" not in note]  # the scores say that


def _asks_otherwise(path: Path, asked: Sequence[Prediction]) -> bool:
    """Tell whether a file has its own wording of questions, and it is another under an id that the run has too."""
    known = {p.id: p.question.strip() for p in asked}
    own = _alone(path)
    return own is not None and any(
        p.question and p.id in known and p.question.strip() != known[p.id] for p in own.predictions
    )


def _alone(path: Path) -> ReadFile | None:
    try:
        return read(path)
    except DataError:
        return None  # without gold answers of its own
