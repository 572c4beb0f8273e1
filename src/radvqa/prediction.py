"""A prediction line: what a model answered to one sample, and what is needed to score and slice it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args

from radvqa import files
from radvqa.errors import DataError, nearest
from radvqa.sample import ANSWER_TYPES, AnswerType, Sample


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer of one model, with the gold beside it.

    Attributes:
        id: the sample's id.
        question: as asked.
        answer: the gold answer as published.
        prediction: the model's answer.
        answer_type: ``OPEN`` or ``CLOSED``.
        question_type: the data set's content type.
        image: the image's name inside the data set.
        case: patient or case, when known.
        organ: as labelled.
        modality: as labelled.
        language: ISO 639-1 code.
        twin: id of the twin sample, when there is one.
        answer_seen: whether the gold occurs among the training answers (normalised); None when unknown.
        confidence: probability that the model gives its answer, in [0, 1]; None when it gives none.
        candidates: ``(answer, probability)`` pairs, best first; at most ten.
        options: the choices of a multiple-choice question, in the order shown to the model; else empty.
        answer_count: how often the gold occurs among the training answers (normalised); None when unknown.
        question_seen: whether the question, normalised, was asked in training; None when unknown.
        missing: the model gave no answer; it counts as wrong.
    """

    id: str
    question: str
    answer: str
    prediction: str
    answer_type: AnswerType
    question_type: str = ""
    image: str = ""
    case: str = ""
    organ: str = ""
    modality: str = ""
    language: str = "en"
    twin: str = ""
    answer_seen: bool | None = None
    confidence: float | None = None
    candidates: tuple[tuple[str, float], ...] = ()
    options: tuple[str, ...] = ()
    answer_count: int | None = None
    question_seen: bool | None = None
    missing: bool = False


def from_sample(
    sample: Sample,
    prediction: str,
    *,
    answer_seen: bool | None = None,
    confidence: float | None = None,
    candidates: tuple[tuple[str, float], ...] = (),
) -> Prediction:
    """Lay a model's answer beside the sample that it answers."""
    return Prediction(
        id=sample.id,
        question=sample.question,
        answer=sample.answer,
        prediction=prediction,
        answer_type=sample.answer_type,
        question_type=sample.question_type,
        image=sample.image,
        case=sample.case,
        organ=sample.organ,
        modality=sample.modality,
        language=sample.language,
        twin=sample.twin,
        answer_seen=answer_seen,
        confidence=confidence,
        candidates=candidates,
        options=sample.options,
    )


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    """Write predictions as JSON lines, whole or not at all."""
    files.write_jsonl(path, (asdict(p) for p in predictions))


_FIELDS = {f.name for f in fields(Prediction)}
_REQUIRED = ("id", "question", "answer", "prediction", "answer_type")


def read_predictions(path: Path) -> list[Prediction]:
    """Read a predictions file.

    Raises:
        DataError: when the file is absent or empty, a row lacks a key, an id is repeated, or a value has the
            wrong type; the message names file and row.
    """
    predictions: list[Prediction] = []
    seen: set[str] = set()
    for number, row in enumerate(files.read_jsonl(path), start=1):
        predictions.append(_parse(row, f"{path}, line {number}"))
        if predictions[-1].id in seen:
            raise DataError(f"{path}, line {number}: the id {predictions[-1].id!r} was already used in this file.")
        seen.add(predictions[-1].id)
    if not predictions:
        raise DataError(f"{path} holds no predictions.")
    return predictions


def _parse(row: Any, where: str) -> Prediction:
    if not isinstance(row, dict):
        raise DataError(f"{where}: expected a JSON object, found {type(row).__name__}.")
    for key in _REQUIRED:
        if key not in row:
            raise DataError(f"{where}: the key {key!r} is missing.")
    for key in row:
        if key not in _FIELDS:
            raise DataError(f"{where}: unknown key {key!r}; {nearest(key, sorted(_FIELDS))}")
    values = dict(row)
    for key in ("id", "question", "answer", "prediction"):
        if not isinstance(values[key], str | int | float) or isinstance(values[key], bool):
            raise DataError(f"{where}: {key!r} must be text, found {values[key]!r}.")
        values[key] = str(values[key])
    values["answer_type"] = str(values["answer_type"]).strip().upper()
    if values["answer_type"] not in ANSWER_TYPES:
        raise DataError(
            f"{where}: answer_type must be one of {', '.join(get_args(AnswerType))}, found {row['answer_type']!r}."
        )
    try:
        values["candidates"] = tuple((str(a), float(p)) for a, p in values.get("candidates", ()))
    except (TypeError, ValueError):
        raise DataError(
            f"{where}: candidates must be a list of [answer, probability], found {values['candidates']!r}."
        ) from None
    values["options"] = tuple(map(str, values.get("options", ())))
    return Prediction(**values)
