"""Captions → requests → replies → pairs; what was asked once is taken from the cache."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from radvqa.console import progress
from radvqa.curating.instructions import INSTRUCTIONS
from radvqa.curating.material import Material
from radvqa.curating.pair import Pair
from radvqa.curating.parsing.read import read_pairs, read_text
from radvqa.curating.parsing.written import Parsed
from radvqa.curating.request import request_for
from radvqa.curating.template import TEXTS, Template
from radvqa.endpoint.cache import ReplyCache
from radvqa.endpoint.client import ChatEndpoint
from radvqa.endpoint.exchange import ChatRequest, Reply

_CUT = "length"  # the reason by which servers say that a reply ended at its limit
_TELLING, _LINES = 40, 2  # so many lines of the prompt, so long, are no coincidence
_NOTHING = "nothing"  # what `rewrite` replies where a caption says nothing of the picture

ShowPicture = Callable[[Material], str | None]
"""Gives the picture of some material as a data URI; None where none is to be sent."""


@dataclass(frozen=True)
class Generated:
    """What was written.

    Attributes:
        pairs: in order of material, template and reply.
        counts: what happened, by name: ``asked``, ``skipped`` (nothing to write from), ``unreadable`` replies,
            ``refused``, ``cut`` off, ``unanswered`` questions, ``commands`` (texts that speak to a model), and
            ``form: …`` of the replies.
        requests: HTTP requests that were sent.
        cached: distinct requests that the cache answered.
        tokens: by kind, over all replies.
    """

    pairs: list[Pair]
    counts: Mapping[str, int]
    requests: int
    cached: int
    tokens: Mapping[str, int]


def generate(
    materials: Sequence[Material],
    templates: Sequence[Template],
    endpoint: ChatEndpoint,
    cache: ReplyCache | None = None,
    picture_of: ShowPicture | None = None,
) -> Generated:
    """Have a model write questions and answers about every picture, by every template.

    Args:
        materials: pictures with their texts; those without any text are skipped.
        templates: what is to be written.
        endpoint: who writes.
        cache: where replies are kept; the same call after an interruption asks only what is missing.
        picture_of: sends pictures along.

    Raises:
        EndpointError: when the endpoint cannot be asked; what it had replied is kept in the cache.
    """
    useful = [material for material in materials if "empty" not in material.notes]
    places = [(material, template) for material in useful for template in templates]
    requests = [request_for(t, m, picture_of(m) if picture_of else None) for m, t in places]
    with progress("asking the model", len(requests)) as advance:

        def heard(_place: int, _reply: Reply) -> None:
            advance(1)

        asked = endpoint.ask_many(requests, cache, heard)
    counts: Counter[str] = Counter(asked=len(requests), skipped=len(materials) - len(useful))
    counts["commands"] = sum("commands" in material.notes for material in useful)
    pairs: dict[str, Pair] = {}
    for (material, template), request, reply in zip(places, requests, asked.replies, strict=True):
        parsed = read_reply(template, material, reply)
        counts += Counter(_told(parsed, reply))
        for pair in _pairs(material, template, parsed, endpoint, request):
            pairs.setdefault(pair.id, pair)
    tokens = {"prompt": asked.prompt_tokens, "completion": asked.completion_tokens}
    return Generated(list(pairs.values()), dict(counts), asked.requests, asked.cached, tokens)


def read_reply(template: Template, material: Material, reply: Reply) -> Parsed:
    """Read a reply as what the template asked for; one that gives the prompt back holds nothing."""
    if _gives_back(template, reply.text):
        return Parsed((), "prompt")
    cut = reply.finish_reason == _CUT
    if template.kind not in TEXTS:
        return read_pairs(reply.text, choice=template.kind == "choice", cut=cut)
    known = INSTRUCTIONS["brief" if template.kind == "rewrite" or template.name == "brief" else "detailed"]
    parsed = read_text(reply.text, known[_number(material.sample.id + template.name) % len(known)], cut=cut)
    if parsed.pairs and parsed.pairs[0].answer.strip(" .").lower() == _NOTHING:
        return Parsed((), "text", 1)
    return parsed


def _gives_back(template: Template, reply: str) -> bool:
    told = [line for line in template.text.splitlines() if len(line) >= _TELLING and "{" not in line]
    return sum(line in reply for line in told) >= min(_LINES, len(told))


def _told(parsed: Parsed, reply: Reply) -> Iterator[str]:
    yield f"form: {parsed.form}"
    yield from ["unanswered"] * parsed.unanswered
    if reply.refused:
        yield "refused"
    elif not parsed.pairs:
        yield "unreadable"
    if reply.finish_reason == _CUT:
        yield "cut"


def _pairs(
    material: Material, template: Template, parsed: Parsed, endpoint: ChatEndpoint, request: ChatRequest
) -> Iterator[Pair]:
    sample = material.sample
    key = endpoint.key(request)
    for number, written in enumerate(parsed.pairs):
        yield Pair(
            id=f"{sample.id}#{template.name}-{hashlib.sha256(f'{key}{number}'.encode()).hexdigest()[:12]}",
            question=written.question,
            answer=written.answer,
            kind=template.kind,
            image=sample.image,
            image_path=str(sample.image_path),
            dataset=sample.dataset,
            split=sample.split,
            case=sample.case,
            caption=material.caption,
            organ=sample.organ,
            modality=sample.modality,
            facts=material.facts,
            options=written.options,
            turn=number if template.kind == "conversation" else 0,
            template=template.called,
            model=endpoint.model,
            reply=key,
            whole=written.whole,
            flags=("commands",) if "commands" in material.notes else (),
        )


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
