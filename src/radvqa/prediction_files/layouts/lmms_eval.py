"""The samples that lmms-eval writes with ``--log_samples``: ``DATE_samples_TASK.jsonl``, one question a line.

Source: EvolvingLMMs-Lab/lmms-eval, ``lmms_eval/loggers/evaluation_tracker.py`` (``save_results_samples``) and
``lmms_eval/evaluator.py``, since version 0.2.4, read as of 2026: keys ``doc_id``, ``target``, ``input`` (the first
argument, which is the prompt), ``filtered_resps``, ``resps`` only where it says more than ``filtered_resps``, hashes,
and one key per metric. The writer drops ``doc``; logs that kept it are read as well, also inside one object under
``logs``. Tasks such as ``slake`` (``tasks/slake/utils.py``) leave a record of the question under every metric:
``id``, ``prediction``, ``target``, ``language``, ``answer_type``, ``modality``, ``content_type``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from radvqa.errors import DataError
from radvqa.prediction_files.columns import described
from radvqa.prediction_files.layout import Request, Row
from radvqa.prediction_files.nested import Said, only
from radvqa.prediction_files.records import Records


class SamplesLog:
    """The model's answer is the first filtered response; the gold answer is the target."""

    def recognises(self, records: Records) -> bool:
        """Whether the keys are those of a samples log."""
        columns = set(records.columns)
        return "doc_id" in columns and bool({"filtered_resps", "resps"} & columns)

    def rows(self, records: Records, request: Request) -> Iterator[Row]:
        """Yield every row under our names.

        Raises:
            DataError: when a response is a likelihood and no text, or a key that the user named is in no row.
        """
        said = Said(records.path, request.columns)
        prompts = several = 0
        for number, record in records.read():
            doc = record.get("doc")
            values = {
                "id": record.get("doc_id"),
                **described(_record_of_metric(record)),
                **(described(doc) if isinstance(doc, Mapping) else {}),
            }
            target = only(record.get("target"))
            if target is not None:
                values["answer"] = target
            if "question" not in values:
                values["question"] = _first_text(record.get("input", record.get("arguments")))
                prompts += 1
            replies = record["filtered_resps"] if "filtered_resps" in record else record.get("resps")
            values["prediction"] = _reply(replies, records.place(number))
            several += _count(replies) > 1
            yield number, said.over(values, record)
        said.finish()
        if prompts and "question" not in request.columns:
            request.notes.append("The log keeps no plain questions, so the prompts stand for them.")
        if several:
            request.notes.append(f"{several} questions have several responses; the first of each is scored.")


def _record_of_metric(record: Mapping[str, Any]) -> Mapping[str, Any]:
    for key, value in record.items():
        if key not in ("doc", "input") and isinstance(value, Mapping) and ("answer_type" in value or "target" in value):
            return value
    return {}


def _reply(replies: Any, where: str) -> Any:
    reply = replies
    while isinstance(reply, list):
        if len(reply) == 2 and isinstance(reply[0], int | float) and isinstance(reply[1], bool):
            raise DataError(
                f"{where}: the responses are log-likelihoods of choices, not answers; log a generating task."
            )
        reply = reply[0] if reply else None
    return reply


def _count(replies: Any) -> int:
    while isinstance(replies, list) and len(replies) == 1 and isinstance(replies[0], list):
        replies = replies[0]
    return len(replies) if isinstance(replies, list) else 1


def _first_text(value: Any) -> str | None:
    while isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, str) else None


LAYOUT = SamplesLog()
