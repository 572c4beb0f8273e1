"""The review page's server: hands out pairs, takes decisions, shows pictures. It trusts nobody beyond this machine.

It binds to the loopback unless a token is given, answers only to its own names (against DNS rebinding), takes only JSON
that a page of its own can send, and shows only pictures of the queue.
"""

import functools
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field

from radvqa.curating.pair import Pair
from radvqa.data.image import decode, encode_jpeg, encode_png, shrink
from radvqa.errors import ImageError
from radvqa.guarding.guard import Guard
from radvqa.guarding.rules import Rules
from radvqa.reviewing.decision import REASONS, Decision, Verdict
from radvqa.reviewing.queue import ReviewError, ReviewQueue

PAGE = Path(__file__).parent / "page"
SIDE = 1600
"""Longest side, in pixels, of what the page is shown."""

_LONGEST_BODY = 200_000  # bytes
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


def application(queue: ReviewQueue, *, hosts: tuple[str, ...] = (), token: str = "") -> FastAPI:
    """Build the application.

    Args:
        queue: what is reviewed.
        hosts: names under which it may be reached besides the loopback's.
        token: that must be shown once, as ``?token=…``, by whoever opens the page; empty asks for none.
    """
    app = FastAPI(title="radvqa review", docs_url=None, redoc_url=None, openapi_url=None)
    rules = Rules(
        names=hosts,
        token=token,
        cookie="radvqa-review",
        token_in_address=True,
        unknown="Open the address that `radvqa curate review` printed.",
        body=_LONGEST_BODY,
    )
    app.add_middleware(Guard, rules=rules)

    @app.exception_handler(ReviewError)
    async def told(_request: Request, error: ReviewError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=422)

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-store"})

    @app.post("/api/tags")
    def tags() -> dict[str, Any]:
        return {"reasons": REASONS}

    @app.post("/api/next")
    def following(body: NextBody) -> dict[str, Any]:
        found = queue.next(body.reviewer, body.count, body.after) if body.count else []
        return {"pairs": [_shown(pair) for pair in found], "progress": queue.progress(body.reviewer)}

    @app.post("/api/decide")
    def decide(body: DecisionBody) -> dict[str, Any]:
        new = queue.decide(
            Decision(
                body.pair, body.reviewer, body.verdict, body.question, body.answer, tuple(body.reasons), body.token
            )
        )
        return {"new": new}

    @app.post("/api/undo")
    def undo(body: ReviewerBody) -> dict[str, Any]:
        pair = queue.undo(body.reviewer)
        return {"pair": None if pair is None else _shown(pair), "progress": queue.progress(body.reviewer)}

    @app.get("/api/picture")
    def picture(pair: Annotated[str, Query(max_length=1000)]) -> Response:
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

    app.mount("/page", StaticFiles(directory=PAGE), name="page")
    return app


def _shown(pair: Pair) -> dict[str, Any]:
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
        "picture": f"api/picture?pair={quote(pair.id, safe='')}" if pair.image_path else "",
    }


@functools.lru_cache(maxsize=64)
def _rendered(path: str) -> tuple[bytes, str]:
    """Return a picture as the page shows it, and its media type."""
    pixels = shrink(decode(Path(path)), SIDE)
    if pixels.shape[0] * pixels.shape[1] <= 512 * 512:
        return encode_png(pixels), "image/png"
    return encode_jpeg(pixels), "image/jpeg"
