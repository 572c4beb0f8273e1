"""From rows under our names to predictions: types checked, equal texts shared, what is not given filled in or said."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from radvqa.errors import DataError
from radvqa.prediction import Prediction, as_text
from radvqa.prediction_files import values
from radvqa.prediction_files.layout import Row

LABELS = ("question_type", "image", "case", "organ", "modality", "twin")

OTHERS: dict[str, Callable[[Any], Any]] = {
    "answer_seen": lambda value: values.flag("answer_seen", value),
    "question_seen": lambda value: values.flag("question_seen", value),
    "answer_count": lambda value: values.count("answer_count", value),
    "confidence": lambda value: values.probability("confidence", value),
    "options": values.options,
    "missing": lambda value: values.flag("missing", value),
}


@dataclass(slots=True)
class Built:
    """Predictions, and what the file did not say of them.

    Attributes:
        predictions: in the order of the file.
        numbered: how many have their row's number as id.
        inferred: how many have an answer type that was inferred.
        missing: how many have no answer.
        unasked: how many have no question.
    """

    predictions: list[Prediction] = field(default_factory=list)
    numbered: int = 0
    inferred: int = 0
    missing: int = 0
    unasked: int = 0


def build(rows: Iterable[Row], place: Callable[[int], str], *, judged: bool = True) -> Built:
    """Make predictions of rows.

    Args:
        rows: number and values by our names; a value that is absent or None is not given.
        place: how an error message names a row.
        judged: whether every row must hold a gold answer.

    Raises:
        DataError: when a value has the wrong type, a gold answer or an id is not given, or an id is repeated; the
            message names the place.
    """
    built = Built()
    texts: dict[str, str] = {}
    first: dict[str, int] = {}
    for number, row in rows:
        try:
            prediction = _prediction(row, texts, built, judged=judged)
        except ValueError as error:
            raise DataError(f"{place(number)}: {error}") from None
        earlier = first.setdefault(prediction.id, number)
        if earlier != number:
            raise DataError(
                f"{place(number)}: the id {prediction.id!r} was already used in this file, at {place(earlier)}."
            )
        built.predictions.append(prediction)
    return built


def _prediction(row: dict[str, Any], texts: dict[str, str], built: Built, *, judged: bool) -> Prediction:
    made: dict[str, Any] = {}
    for key in LABELS:
        value = row.get(key)
        if value is not None:
            text = as_text(key, value)
            made[key] = texts.setdefault(text, text)
    language = row.get("language")
    if language is not None and (text := as_text("language", language).strip().lower()):
        made["language"] = texts.setdefault(text, text)
    for key, read in OTHERS.items():
        value = row.get(key)
        if value is not None:
            made[key] = read(value)
    if row.get("candidates") is not None:
        made["candidates"] = values.candidates(row["candidates"], texts)
    made["id"] = _id(row, built)
    made["question"] = _shared("question", row.get("question"), texts)
    built.unasked += not made["question"]
    answer = row.get("answer")
    if answer is None and judged:
        raise ValueError("there is no gold answer.")
    made["answer"] = _shared("answer", answer, texts)
    prediction = row.get("prediction")
    made["prediction"] = _shared("prediction", prediction, texts)
    made["missing"] = made.get("missing", False) or prediction is None
    built.missing += made["missing"]
    label = row.get("answer_type")
    if label is None or label == "":
        made["answer_type"] = values.inferred_type(made["answer"], made.get("options", ()))
        built.inferred += 1
    else:
        made["answer_type"] = values.answer_type(label)
    return Prediction(**made)


def _id(row: dict[str, Any], built: Built) -> str:
    if "id" not in row:
        built.numbered += 1
        return str(len(built.predictions) + 1)
    if row["id"] is None:
        raise ValueError("there is no id; give every row one, or none.")
    return values.identifier(row["id"])


def _shared(key: str, value: Any, texts: dict[str, str]) -> str:
    if value is None:
        return ""
    text = as_text(key, value)
    return texts.setdefault(text, text)
