"""The review's doors: hand out pairs, take decisions, show pictures of the queue and no others.

The page of ``radvqa curate review`` and that of ``radvqa serve`` go through the same ones.
"""

import functools
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from radvqa.curating.pair import Pair
from radvqa.data.image import decode, encode_jpeg, encode_png, shrink
from radvqa.errors import ImageError
from radvqa.reviewing.decision import REASONS, Decision, Verdict
from radvqa.reviewing.queue import ReviewError, ReviewQueue

SIDE = 1600
"""Longest side, in pixels, of what the page is shown."""

_MOST_AHEAD = 20


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NextBody(_Body):
    """Asks for pairs."""

    reviewer: str = Field(max_length=200)
    count: int = Field(1, ge=0, le=_MOST_AHEAD)
    after: list[str] = Field(default_factory=list, max_length=500)


class DecisionBody(_Body):
    """A decision, as the page sends it."""

    pair: str = Field(max_length=1000)
    reviewer: str = Field(max_length=200)
    verdict: Verdict
    question: str | None = Field(None, max_length=20_000)
    answer: str | None = Field(None, max_length=20_000)
    reasons: list[str] = Field(default_factory=list, max_length=50)
    token: str = Field(min_length=8, max_length=200)


class ReviewerBody(_Body):
    """Says who asks."""

    reviewer: str = Field(max_length=200)


def router(queue: ReviewQueue, base: str = "api") -> APIRouter:
    """Build the doors.

    Args:
        queue: what is reviewed.
        base: under which the page reaches them.
    """
    doors = APIRouter(tags=["reviewing"])

    @doors.post("/tags")
    def tags() -> dict[str, Any]:
        """Tags that say why a pair is discarded."""
        return {"reasons": REASONS}

    @doors.post("/next")
    def following(body: NextBody) -> dict[str, Any]:
        """Hand out pairs that this reviewer should look at next."""
        found = queue.next(body.reviewer, body.count, body.after) if body.count else []
        return {"pairs": [_shown(pair, base) for pair in found], "progress": queue.progress(body.reviewer)}

    @doors.post("/decide")
    def decide(body: DecisionBody) -> dict[str, Any]:
        """Keep a decision; one that was sent before counts once."""
        new = queue.decide(
            Decision(
                body.pair, body.reviewer, body.verdict, body.question, body.answer, tuple(body.reasons), body.token
            )
        )
        return {"new": new}

    @doors.post("/undo")
    def undo(body: ReviewerBody) -> dict[str, Any]:
        """Take this reviewer's last decision back."""
        pair = queue.undo(body.reviewer)
        return {"pair": None if pair is None else _shown(pair, base), "progress": queue.progress(body.reviewer)}

    @doors.get("/picture")
    def picture(pair: Annotated[str, Query(max_length=1000)]) -> Response:
        """Show the picture of a pair."""
        try:
            path = queue.pair(pair).image_path
        except ReviewError as error:
            raise HTTPException(404, str(error)) from None
        if not path:
            raise HTTPException(404, f"{pair} has no picture.")
        try:
            content, kind = _rendered(path)
        except ImageError as error:
            raise HTTPException(404, str(error)) from None
        return Response(content, media_type=kind, headers={"Cache-Control": "private, max-age=3600"})

    return doors


def _shown(pair: Pair, base: str) -> dict[str, Any]:
    """What the page needs of a pair."""
    return {
        "id": pair.id,
        "question": pair.question,
        "answer": pair.answer,
        "options": list(pair.options),
        "kind": pair.kind,
        "modality": pair.modality,
        "organ": pair.organ,
        "caption": pair.caption,
        "facts": dict(pair.facts),
        "flags": list(pair.flags),
        "picture": f"{base}/picture?pair={quote(pair.id, safe='')}" if pair.image_path else "",
    }


@functools.lru_cache(maxsize=64)
def _rendered(path: str) -> tuple[bytes, str]:
    """Return a picture as the page shows it, and its media type."""
    pixels = shrink(decode(Path(path)), SIDE)
    if pixels.shape[0] * pixels.shape[1] <= 512 * 512:
        return encode_png(pixels), "image/png"
    return encode_jpeg(pixels), "image/jpeg"
