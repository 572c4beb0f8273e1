"""A prediction line: what a model answered to one sample, and what is needed to score and slice it."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

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
_LABELS = ("question_type", "image", "case", "organ", "modality", "language", "twin")
_KNOWN_OR_NOT = ("answer_seen", "question_seen")


def read_predictions(path: Path) -> list[Prediction]:
    """Read a predictions file as ``write_predictions`` writes it; ``prediction_files`` reads those made elsewhere.

    Equal texts become one object, so that many questions about few images stay small in memory.

    Raises:
        DataError: when the file is absent or empty, a row lacks a key, an id is repeated, or a value has the
            wrong type; the message names file and row.
    """
    predictions: list[Prediction] = []
    lines: dict[str, int] = {}
    texts: dict[str, str] = {}
    for number, row in enumerate(files.read_jsonl(path), start=1):
        prediction = _parse(row, texts, f"{path}, line {number}")
        first = lines.setdefault(prediction.id, number)
        if first != number:
            raise DataError(
                f"{path}, line {number}: the id {prediction.id!r} was already used in this file, in line {first}."
            )
        predictions.append(prediction)
    if not predictions:
        raise DataError(f"{path} holds no predictions.")
    return predictions


def _parse(row: Any, texts: dict[str, str], where: str) -> Prediction:
    if not isinstance(row, dict):
        raise DataError(f"{where}: expected a JSON object, found {type(row).__name__}.")
    for key in _REQUIRED:
        if key not in row:
            raise DataError(f"{where}: the key {key!r} is missing.")
    for key in row:
        if key not in _FIELDS:
            raise DataError(f"{where}: unknown key {key!r}; {nearest(key, sorted(_FIELDS))}")
    values = dict(row)
    try:
        for key in ("id", "question", "answer", "prediction"):
            text = as_text(key, values[key])
            values[key] = texts.setdefault(text, text)
        for key in _LABELS:
            if key in values:
                text = as_text(key, values[key])
                values[key] = texts.setdefault(text, text)
        values["answer_type"] = as_answer_type(values["answer_type"])
        for key in _KNOWN_OR_NOT:
            if values.get(key) is not None:
                values[key] = as_flag(key, values[key])
        if "missing" in values:
            values["missing"] = as_flag("missing", values["missing"])
        if values.get("answer_count") is not None:
            values["answer_count"] = as_count("answer_count", values["answer_count"])
        if values.get("confidence") is not None:
            values["confidence"] = as_probability("confidence", values["confidence"])
        values["candidates"] = as_candidates(values.get("candidates", ()), texts)
        values["options"] = as_options(values.get("options", ()))
    except ValueError as error:
        raise DataError(f"{where}: {error}") from None
    return Prediction(**values)


def as_text(key: str, value: Any) -> str:
    """Return a text or a finite number as text.

    Raises:
        ValueError: for anything else; the sentence names the key.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    raise ValueError(f"{key!r} must be text, found {shortened(value)}.")


def as_answer_type(value: Any) -> AnswerType:
    """Return ``OPEN`` or ``CLOSED`` for a label in any case, with spaces around it or not.

    Raises:
        ValueError: for any other label.
    """
    label = value.strip().upper() if isinstance(value, str) else value
    for known in ANSWER_TYPES:
        if label == known:
            return known
    raise ValueError(f"answer_type must be one of {', '.join(ANSWER_TYPES)}, found {shortened(value)}.")


def as_flag(key: str, value: Any) -> bool:
    """Return a truth value.

    Raises:
        ValueError: for anything else; the sentence names the key.
    """
    if isinstance(value, bool):
        return value
    raise ValueError(f"{key!r} must be true or false, found {shortened(value)}.")


def as_count(key: str, value: Any) -> int:
    """Return a whole number of 0 or more.

    Raises:
        ValueError: for anything else; the sentence names the key.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"{key!r} must be a whole number of 0 or more, found {shortened(value)}.")


ROUNDING = 1e-6
"""By how much a probability summed in single precision may pass 1."""


def as_probability(key: str, value: Any) -> float | None:
    """Return a probability in [0, 1]; None for NaN.

    Raises:
        ValueError: for anything else; the sentence names the key.
    """
    if type(value) is float and 0 <= value <= 1:  # the common case first: candidates are many
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value != value:  # only NaN differs from itself
            return None
        if 0 <= value <= 1 + ROUNDING:
            return min(float(value), 1.0)
    raise ValueError(f"{key!r} must be a probability from 0 to 1, found {shortened(value)}.")


def as_candidates(value: Any, texts: dict[str, str]) -> tuple[tuple[str, float], ...]:
    """Return ``(answer, probability)`` pairs, best first.

    Args:
        value: a list of such pairs.
        texts: the texts met so far, each by itself; equal answers become one object.

    Raises:
        ValueError: when the value is no list of such pairs.
    """
    pairs: list[tuple[str, float]] = []
    try:
        for answer, probability in value if isinstance(value, list | tuple) else (value,):
            text = answer if type(answer) is str else as_text("candidates", answer)
            pairs.append((texts.setdefault(text, text), _not_nan(as_probability("candidates", probability))))
    except (TypeError, ValueError):
        raise ValueError(
            f"candidates must be a list of [answer, probability from 0 to 1], found {shortened(value)}."
        ) from None
    return tuple(pairs)


def _not_nan(probability: float | None) -> float:
    if probability is None:
        raise ValueError("NaN is no probability.")
    return probability


def as_options(value: Any) -> tuple[str, ...]:
    """Return the choices of a multiple-choice question.

    Raises:
        ValueError: when the value is no list of texts.
    """
    if isinstance(value, list | tuple):
        return tuple(as_text("options", option) for option in value)
    raise ValueError(f"options must be a list of texts, found {shortened(value)}.")


def shortened(value: Any) -> str:
    """Return how a value is written in an error message: whole when short, else its beginning."""
    written = repr(value if not isinstance(value, str) else value[:80])
    return written if len(written) <= 60 else f"{written[:57]}…"
