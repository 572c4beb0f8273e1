"""A language model checks pairs against the caption that they were written from."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from radvqa import files, fingerprint
from radvqa.console import progress
from radvqa.curating.material import LONGEST
from radvqa.curating.pair import Pair
from radvqa.endpoint import front_matter
from radvqa.endpoint.cache import ReplyCache
from radvqa.endpoint.client import ChatEndpoint
from radvqa.endpoint.exchange import ChatRequest, Reply, user_message
from radvqa.endpoint.quoting import quoted

RULE = "not-verified"
"""Flag, and reason of leaving out, of pairs that the model does not confirm."""

VERDICTS = ("yes", "no", "unsure")
_FILE = Path(__file__).parent / "checks" / "verify.md"
_PLACE = re.compile(r"\{(caption|facts|question|answer)\}")
_SAID = re.compile(r'"right"\s*:\s*"?(yes|no|unsure)\b', re.IGNORECASE)
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"right": {"type": "string", "enum": list(VERDICTS)}, "reason": {"type": "string"}},
    "required": ["right", "reason"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Verified:
    """The outcome.

    Attributes:
        pairs: all of them; those that were not confirmed are flagged and left out.
        verdicts: how many of each, and ``unreadable`` replies, which take nothing out.
        requests: that were sent.
        cached: distinct requests that the cache answered.
        tokens: by kind.
        template_sha256: of the prompt's file.
    """

    pairs: list[Pair]
    verdicts: dict[str, int]
    requests: int
    cached: int
    tokens: dict[str, int]
    template_sha256: str


def verify(
    pairs: Sequence[Pair], endpoint: ChatEndpoint, cache: ReplyCache | None = None, *, strict: bool = False
) -> Verified:
    """Ask about every pair that is still in.

    Args:
        pairs: those that rules took out are not asked about; earlier verdicts are forgotten.
        endpoint: who checks.
        cache: where replies are kept.
        strict: leave out what the model is unsure of too.

    Raises:
        EndpointError: when the endpoint cannot be asked; what it had replied is kept in the cache.
    """
    text = files.read_text(_FILE)
    _, prompt = front_matter.read(text, _FILE, ("name", "version"))
    before = [_without(pair) for pair in pairs]
    asked = [pair for pair in before if not pair.dropped and pair.caption]
    with progress("asking whether pairs are right", len(asked)) as advance:

        def heard(_place: int, _reply: Reply) -> None:
            advance(1)

        replies = endpoint.ask_many([_request(prompt.strip(), pair) for pair in asked], cache, heard)
    said = {pair.id: read_verdict(reply.text) for pair, reply in zip(asked, replies.replies, strict=True)}
    bad = {"no", "unsure"} if strict else {"no"}
    return Verified(
        [_flagged(pair) if said.get(pair.id) in bad else pair for pair in before],
        dict(Counter(verdict or "unreadable" for verdict in said.values())),
        replies.requests,
        replies.cached,
        {"prompt": replies.prompt_tokens, "completion": replies.completion_tokens},
        fingerprint.of_bytes(text.encode()),
    )


def read_verdict(reply: str) -> str:
    """Read what a model said; empty where it cannot be read."""
    start, end = reply.find("{"), reply.rfind("}")
    if 0 <= start < end:
        try:
            value = json.loads(reply[start : end + 1])
        except json.JSONDecodeError:
            value = None
        if isinstance(value, dict) and str(value.get("right", "")).lower() in VERDICTS:
            return str(value["right"]).lower()
    found = _SAID.search(reply)
    return found[1].lower() if found else ""


def _request(prompt: str, pair: Pair) -> ChatRequest:
    texts = {
        "caption": quoted(pair.caption, LONGEST),
        "facts": quoted("; ".join(f"{name}: {text}" for name, text in pair.facts), LONGEST),
        "question": quoted(pair.question, LONGEST),
        "answer": quoted(pair.answer, LONGEST),
    }
    return ChatRequest([user_message(_PLACE.sub(lambda found: texts[found[1]], prompt))], _SCHEMA)


def _without(pair: Pair) -> Pair:
    flags = tuple(flag for flag in pair.flags if flag != RULE)
    return replace(pair, flags=flags, dropped="" if pair.dropped == RULE else pair.dropped)


def _flagged(pair: Pair) -> Pair:
    return replace(pair, flags=(*pair.flags, RULE), dropped=RULE)
