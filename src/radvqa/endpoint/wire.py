"""One HTTP request of the OpenAI chat API and its reply."""

import asyncio
import json
import math
from collections.abc import Mapping
from typing import Any

import httpx

from radvqa.endpoint import problem as problems
from radvqa.endpoint.exchange import Reply
from radvqa.endpoint.problem import Problem


async def post(client: httpx.AsyncClient, url: str, body: Mapping[str, Any], timeout: float) -> Reply | Problem:
    """Send one request; ``timeout`` is the limit in seconds until the whole reply is here."""
    try:
        async with asyncio.timeout(timeout):  # httpx's own limits are for each part of the way
            response = await client.post(url, content=json.dumps(body), headers={"Content-Type": "application/json"})
    except (TimeoutError, httpx.TransportError, httpx.DecodingError) as error:
        return problems.of_error(error, timeout)
    if not response.is_success:
        return problems.of_response(response)
    return _reply(response) or problems.of_body(response.text)


def forms(schema: Mapping[str, Any] | None) -> list[dict[str, Any] | None]:
    """Ways to ask for a reply of this schema, the strictest first; not every server knows every way."""
    if schema is None:
        return [None]
    strict = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}
    return [strict, {"type": "json_object"}, None]


def _reply(response: httpx.Response) -> Reply | None:
    """Read a chat completion; None when it is none."""
    try:
        body = response.json()
        choice = body["choices"][0]
        content = choice["message"].get("content")
        usage = body.get("usage") or {}
        prompt, completion = (int(usage.get(f"{kind}_tokens") or 0) for kind in ("prompt", "completion"))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return None
    if isinstance(content, list):  # some servers reply in parts
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if not isinstance(content, str | None):
        return None
    reason = str(choice.get("finish_reason") or "")
    return Reply(content or "", reason, prompt, completion, log_probability=_log_probability(choice.get("logprobs")))


def _log_probability(logged: Any) -> float | None:
    """Add up the log-probabilities of a reply's tokens; None when they are not there or make no sense."""
    try:
        values = [float(token["logprob"]) for token in logged["content"]]
        total = math.fsum(values) if values else math.nan
    except (TypeError, KeyError, ValueError, OverflowError):
        return None
    return total if math.isfinite(total) else None
