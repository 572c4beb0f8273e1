"""The reviews and predictions of EvalScope: ``reviews/MODEL/BENCHMARK_SUBSET.jsonl`` and ``predictions/…`` beside it.

Source: modelscope/evalscope. Since version 1.0 ``evalscope/api/evaluator/cache.py``: a review (``ReviewResult``) has
``index``, ``input``, ``target`` and ``sample_score`` with ``score`` (``value``, ``extracted_prediction``,
``prediction``) and ``sample_metadata``; a prediction (``ModelResult``) has ``index``, ``model``, ``model_output``
(``choices`` with ``message.content``), ``messages`` and ``metadata``, and no gold answer. Before 1.0
``evalscope/evaluator/evaluator.py``: ``index``, ``raw_input`` and ``choices`` with ``message.content`` and, once
reviewed, ``review`` (``gold``, ``pred``, ``result``). Read as of 2026.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from radvqa.prediction_files.columns import described
from radvqa.prediction_files.layout import Request, Row
from radvqa.prediction_files.nested import Said, at, only, text_of
from radvqa.prediction_files.records import Records

SAME_AS_INPUT = "*Same as Input*"
"""What an old review says instead of a gold answer that is the whole row of the benchmark."""

_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)\s*")  # as Markdown, often with the whole picture in it


class Reviews:
    """Reviews are scored by the answer that EvalScope took from the reply, else by the reply."""

    def recognises(self, records: Records) -> bool:
        """Whether the keys are those of reviews or predictions, of either age."""
        columns = set(records.columns)
        new = bool({"sample_score", "model_output"} & columns)
        old = "choices" in columns and bool({"raw_input", "review_id", "answer_id"} & columns)
        return "index" in columns and (new or old)

    def rows(self, records: Records, request: Request) -> Iterator[Row]:
        """Yield every row under our names.

        Raises:
            DataError: when a key that the user named is in no row.
        """
        said = Said(records.path, request.columns)
        prompts = extracted = 0
        for number, record in records.read():
            about = at(record, "sample_score.sample_metadata") or record.get("metadata") or record.get("raw_input")
            values = {"id": record.get("index"), **(described(about) if isinstance(about, Mapping) else {})}
            if "question" not in values:
                values["question"] = _prompt(record)
                prompts += 1
            gold = only(record.get("target"))
            if gold is None:
                gold = only(at(_choice(record), "review.gold"))
            if gold is not None and gold != SAME_AS_INPUT:
                values["answer"] = gold
            values["prediction"], taken = _reply(record)
            extracted += taken
            yield number, said.over(values, record)
        said.finish()
        if prompts and "question" not in request.columns:
            request.notes.append("The file keeps no plain questions, so the prompts stand for them.")
        if extracted and "prediction" not in request.columns:
            request.notes.append(
                "What is scored is the answer that EvalScope extracted; --columns "
                "prediction=sample_score.score.prediction scores the whole reply instead."
            )


def _reply(record: Mapping[str, Any]) -> tuple[Any, bool]:
    """Return the answer, and whether EvalScope took it out of a longer reply."""
    score = at(record, "sample_score.score")
    if isinstance(score, Mapping):
        whole, part = score.get("prediction"), score.get("extracted_prediction")
    else:
        choice = _choice(record)
        whole, part = text_of(at(choice, "message.content")), at(choice, "review.pred")
    return (whole, False) if part is None else (part, part != whole)


def _choice(record: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = at(record, "model_output.choices") or record.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, Mapping) else {}


def _prompt(record: Mapping[str, Any]) -> str | None:
    asked = record.get("input", record.get("messages"))
    if isinstance(asked, list):
        users = [text_of(m.get("content")) for m in asked if isinstance(m, Mapping) and m.get("role") == "user"]
        asked = users[0] if users else None
    return _PICTURE.sub("", asked).strip() if isinstance(asked, str) else None


LAYOUT = Reviews()
