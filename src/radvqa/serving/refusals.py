"""How every door says no: one sentence, and for programs the same declaration everywhere."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field


class Refusal(BaseModel):
    """Why not."""

    detail: str = Field(description="One sentence: what is wrong, and the way out.")


_WHY = {
    400: "The request cannot be understood.",
    401: "The token is missing or wrong.",
    403: "The page that asks is not this service's.",
    404: "There is no such thing here, or it is not kept any more.",
    405: "This door takes other methods.",
    408: "The request did not arrive in time.",
    413: "Larger than this service takes.",
    414: "The address is too long.",
    415: "Of a kind that this service does not take.",
    421: "The service does not go by this name.",
    422: "A value is missing or of the wrong kind, or what is asked cannot be done.",
    429: "Too many questions wait; Retry-After says when to come again.",
    431: "The headers are too long.",
}


def refusals(how: dict[str, Any], *codes: int) -> dict[int | str, dict[str, Any]]:
    """Declare how doors refuse, for their ``responses``.

    Args:
        how: a refusal looks, as FastAPI declares a response.
        codes: of the refusals; all when none is named.
    """
    return {code: {"description": _WHY[code], **how} for code in codes or _WHY}


# written out, because FastAPI would give a model the media type of the door's answer, of events for instance
REFUSALS = refusals({"content": {"application/json": {"schema": Refusal.model_json_schema()}}})
"""Of every door that does not say otherwise."""


def sentence(errors: Sequence[Any]) -> str:
    """Say what pydantic found, without repeating what was sent: nobody knows what is in it."""
    found = []
    for error in errors[:3]:
        place = ".".join(str(part) for part in error.get("loc", ())[1:])
        found.append(f"{place}: {error.get('msg', 'is wrong')}" if place else str(error.get("msg", "is wrong")))
    more = f", and {len(errors) - 3} more" if len(errors) > 3 else ""
    return f"{'; '.join(found)}{more}.".encode("utf-8", "replace").decode()
