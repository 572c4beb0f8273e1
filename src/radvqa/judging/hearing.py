"""Asking the judge: every answer once, and once more where its reply could not be read."""

from collections.abc import Sequence
from dataclasses import dataclass

from radvqa.console import progress
from radvqa.endpoint.cache import ReplyCache
from radvqa.endpoint.client import ChatEndpoint
from radvqa.endpoint.exchange import Asked, Reply
from radvqa.judging.prompt import judge_request
from radvqa.judging.template import Template
from radvqa.judging.verdict import read_verdict
from radvqa.prediction import Prediction

UNPARSED = "unparsed"


@dataclass(frozen=True, slots=True)
class Heard:
    """What the judge said.

    Attributes:
        verdicts: by id; ``unparsed`` where nothing could be read.
        reminded: answers that needed a reminder.
        refused: answers that the server would not take.
        tokens: by kind.
        requests: sent.
        cached: distinct requests that the cache answered.
    """

    verdicts: dict[str, str]
    reminded: int
    refused: int
    tokens: dict[str, int]
    requests: int
    cached: int


def hear(
    predictions: Sequence[Prediction], endpoint: ChatEndpoint, template: Template, cache: ReplyCache | None
) -> Heard:
    """Ask about answers, and once more about those whose reply held no verdict."""
    first = _ask(predictions, endpoint, template, cache, reminder=False)
    read = [read_verdict(reply.text, template.scale) for reply in first.replies]
    verdicts = {p.id: verdict or UNPARSED for p, verdict in zip(predictions, read, strict=True)}
    replies = dict(zip(verdicts, first.replies, strict=True))
    unclear = [p for p in predictions if verdicts[p.id] == UNPARSED and not replies[p.id].refused]
    second = _ask(unclear, endpoint, template, cache, reminder=True)
    for prediction, reply in zip(unclear, second.replies, strict=True):
        replies[prediction.id] = reply
        verdicts[prediction.id] = read_verdict(reply.text, template.scale) or UNPARSED
    return Heard(
        verdicts=verdicts,
        reminded=len(unclear),
        refused=sum(1 for reply in replies.values() if reply.refused),
        tokens={
            "prompt": first.prompt_tokens + second.prompt_tokens,
            "completion": first.completion_tokens + second.completion_tokens,
        },
        requests=first.requests + second.requests,
        cached=first.cached + second.cached,
    )


def _ask(
    predictions: Sequence[Prediction],
    endpoint: ChatEndpoint,
    template: Template,
    cache: ReplyCache | None,
    *,
    reminder: bool,
) -> Asked:
    requests = [judge_request(template, p.question, p.answer, p.prediction, reminder=reminder) for p in predictions]
    with progress("asking the judge again" if reminder else "asking the judge", len(requests)) as advance:

        def heard(_place: int, _reply: Reply) -> None:
            advance(1)

        return endpoint.ask_many(requests, cache, heard)
