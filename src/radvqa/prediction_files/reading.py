"""Read predictions from any file: recognise its layout, build predictions, lay them beside gold answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from radvqa.errors import DataError, nearest
from radvqa.prediction import Prediction
from radvqa.prediction_files.build import Built, build
from radvqa.prediction_files.columns import listed
from radvqa.prediction_files.gold import by_id, by_image_and_question, join
from radvqa.prediction_files.layout import FALLBACK, LAYOUTS, Request
from radvqa.prediction_files.records import Records, open_records


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What was read.

    Attributes:
        predictions: in the order of the file, or of the gold where one was named.
        layout: name of the layout, as in ``LAYOUTS``.
        notes: sentences that belong beside the score.
    """

    predictions: list[Prediction]
    layout: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Side:
    built: Built
    layout: str
    notes: list[str]


def read(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    layout: str | None = None,
    gold: Sequence[Prediction] | Path | None = None,
) -> ReadFile:
    """Read predictions, whoever made them.

    Args:
        path: a file in any of the layouts of ``LAYOUTS``.
        columns: our name → the file's column or, inside objects, keys joined by full stops; wins over what is
            recognised, and an empty name leaves a column unread.
        layout: name of the layout; by default it is recognised.
        gold: the questions with their gold answers, as predictions or as a file in any layout; by default the file
            holds them itself. Its questions without an answer are missing, and count as wrong.

    Raises:
        DataError: when a file cannot be read, a value has the wrong type, a column is absent or not clear, an id is
            repeated, or an answer belongs to no question of the gold; the message names file and place.
    """
    answers = _side(path, Request(columns or {}, judged=gold is None), layout)
    if gold is None:
        return ReadFile(answers.built.predictions, answers.layout, answers.notes + _gaps(answers.built))
    asked = _side(gold, Request(answered=False), None) if isinstance(gold, Path) else _Side(Built(list(gold)), "", [])
    joined, said = _joined(answers, asked, source=str(path), gold=str(gold) if isinstance(gold, Path) else "the gold")
    return ReadFile(joined, answers.layout, answers.notes + _missing(answers.built) + _inferred(asked.built) + said)


def _joined(answers: _Side, asked: _Side, *, source: str, gold: str) -> tuple[list[Prediction], list[str]]:
    predictions, questions = answers.built.predictions, asked.built.predictions
    if not (answers.built.numbered or asked.built.numbered):
        return join(predictions, questions, key=by_id, source=source, gold_source=gold)
    if all(p.image and p.question for p in (*predictions, *questions)):
        return join(predictions, questions, key=by_image_and_question, source=source, gold_source=gold)
    raise DataError(
        f"{source} cannot be laid beside {gold}: one of them has no ids, and not both have image and question; "
        f"name the column with --columns id=COLUMN."
    )


def _side(path: Path, request: Request, layout: str | None) -> _Side:
    if layout is not None and layout not in LAYOUTS:
        raise DataError(f"There is no layout {layout!r}; {nearest(layout, list(LAYOUTS))}")
    records = open_records(path)
    name = layout or _recognised(records)
    if not LAYOUTS[name].recognises(records):
        raise DataError(f"{path} is not laid out as {name}; its columns are {listed(records.columns)}.")
    built = build(LAYOUTS[name].rows(records, request), records.place, judged=request.judged)
    return _Side(built, name, request.notes)


def _recognised(records: Records) -> str:
    others = (name for name in LAYOUTS if name != FALLBACK)
    return next((name for name in others if LAYOUTS[name].recognises(records)), FALLBACK)


def _gaps(built: Built) -> list[str]:
    notes = _missing(built)
    if built.numbered:
        notes.append("There are no ids, so the questions are numbered in the order of the file.")
    if built.unasked:
        notes.append(f"{built.unasked} of {len(built.predictions)} rows have no question.")
    return notes + _inferred(built)


def _missing(built: Built) -> list[str]:
    if not built.missing:
        return []
    return [f"{built.missing} of the {len(built.predictions)} answers in the file are missing; they count as wrong."]


def _inferred(built: Built) -> list[str]:
    if not built.inferred:
        return []
    return [
        f"The answer type of {built.inferred} of {len(built.predictions)} questions was inferred: CLOSED where the "
        f"gold answer says yes or no or there are options, else OPEN."
    ]
