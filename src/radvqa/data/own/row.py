"""One row of a user's table as a sample."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from radvqa.data.own.description import Columns, Description
from radvqa.data.own.pictures import Pictures
from radvqa.data.own.sides import Dealer
from radvqa.prediction_files import values as read
from radvqa.sample import Sample

VERSION = "table"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LABELS = ("question_type", "case", "organ", "modality", "context")


class RowReader:
    """Makes samples of rows.

    Args:
        own: which column is what.
        pictures: where the pictures are.
    """

    def __init__(self, own: Description, pictures: Pictures) -> None:
        self._own, self._pictures = own, pictures
        given = {name: getattr(own.columns, name) for name in _LABELS}
        self._labels = {name: column for name, column in given.items() if column}

    def read(self, cells: Mapping[str, Any], *, split: str | Dealer | None, key: str, source: str) -> Sample:
        """Make a sample of a row.

        Args:
            cells: values by column; one that is absent, None, NaN or blank is not given.
            split: the file's own, or who deals the rows; None where a column says it.
            key: name of the row within its split, where no column says it.
            source: file and row, for messages.

        Raises:
            ValueError: says what is wrong with the row, without its place.
        """
        own, columns = self._own, self._own.columns
        image, path = self._pictures.find(cells.get(columns.image))
        if isinstance(split, Dealer):
            split = split.side(image, _text(cells, columns.case), source)
        split = split or _required(cells, columns.split, "split")
        options = _options(cells, columns)
        answer = _required(cells, columns.answer, "answer")
        if own.task == "choice":
            answer = _chosen(answer, options)
        label = _text(cells, columns.answer_type)
        key = _required(cells, columns.id, "id") if columns.id else key
        return Sample(
            id=f"{own.name}/{VERSION}/{split}/{key}",
            dataset=f"{own.name}:{VERSION}",
            split=split,
            image=image,
            image_path=path,
            question="" if own.task == "caption" else _required(cells, columns.question, "question"),
            answer=answer,
            answer_type=read.answer_type(label) if label else _inferred(answer, options, own),
            language=_text(cells, columns.language).lower() or own.language,
            task=own.task,
            options=options,
            source=source,
            **{name: _text(cells, column) for name, column in self._labels.items()},
        )


def _inferred(answer: str, options: tuple[str, ...], own: Description) -> Any:
    return "OPEN" if own.task == "caption" else read.inferred_type(answer, options)


def _text(cells: Mapping[str, Any], column: str | None) -> str:
    """Return a cell as text, stripped; empty when nothing is given."""
    value = cells.get(column) if column else None
    if isinstance(value, str):
        return value.strip()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"the column {column!r} must hold text or numbers, found {str(value)[:60]!r}.")  # noqa: TRY004
    return read.identifier(value)


def _required(cells: Mapping[str, Any], column: str | None, what: str) -> str:
    text = _text(cells, column)
    if not text:
        raise ValueError(f"there is no {what}: the column {column!r} is empty.")
    return text


def _options(cells: Mapping[str, Any], columns: Columns) -> tuple[str, ...]:
    if isinstance(columns.options, list):
        return tuple(text for text in (_text(cells, column) for column in columns.options) if text)
    value = cells.get(columns.options) if columns.options else None
    if value is None or value == "":
        return ()
    if isinstance(value, str) and not value.lstrip().startswith(("[", "{")):
        return tuple(part.strip() for part in value.split("|") if part.strip())
    return tuple(option.strip() for option in read.options(value))


def _chosen(answer: str, options: Sequence[str]) -> str:
    """Return the text of the right choice, which tables name by text or by letter."""
    if len(options) < 2:
        raise ValueError("a multiple-choice row needs two options or more.")
    if answer in options:
        return answer
    place = _LETTERS.find(answer.upper()) if len(answer) == 1 else -1
    if 0 <= place < len(options):
        return options[place]
    raise ValueError(f"the answer {answer[:60]!r} is none of the options {', '.join(options)[:200]}.")
