"""The door of the panel: picture, question, truth, and what each model answers, as seed 000 drew it."""

import asyncio
from typing import Annotated

import numpy as np
from fastapi import APIRouter
from fastapi.responses import Response
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from radvqa.errors import RadvqaError
from radvqa.prediction import Prediction
from radvqa.serving.answerers.answerer import Asked, Reply
from radvqa.serving.maps.truth import gold_of
from radvqa.serving.maps.wanted import QuestionText
from radvqa.serving.pictures.picture import Truth, View
from radvqa.serving.service import Service
from radvqa.text import normaliser_for

_DPI = 200


class PanelWanted(BaseModel):
    """A panel."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    picture: str = Field(max_length=100, description="Id of a picture that was handed in.")
    view: View = View()
    question: QuestionText
    models: list[Annotated[str, Field(max_length=200)]] = Field(min_length=1, max_length=8)


def router(service: Service) -> APIRouter:
    """The door of the panel."""
    doors = APIRouter(prefix="/api", tags=["seeing"])

    @doors.post("/panel", response_class=Response, responses={200: {"content": {"image/png": {}}}})
    async def panel(wanted: PanelWanted) -> Response:
        """Ask, and draw picture, question, truth and answers; ticks and crosses only where the truth is known."""
        picture = service.pictures.get(wanted.picture)
        names = list(dict.fromkeys(wanted.models))
        offers = [service.shelf.offer(name) for name in names]
        seen = await service.pictures.seen(picture, wanted.view)
        asked = Asked(seen.pixels, seen.digest, wanted.question)

        async def answer(place: int) -> str:
            try:
                return _text(await (await offers[place].loaded()).batcher.ask(asked))
            except RadvqaError as error:
                return f"(no answer: {error})"

        answers = await asyncio.gather(*map(answer, range(len(offers))))
        given = dict(zip(names, answers, strict=True))
        content = await asyncio.to_thread(_drawn, seen.pixels, wanted.question, picture.truth, given)
        return Response(content, media_type="image/png", headers={"Cache-Control": "no-store"})

    return doors


def _text(reply: Reply) -> str:
    return reply.answer if reply.answer is not None else f"(no answer: {reply.text})"


def _drawn(pixels: NDArray[np.uint8], question: str, truth: Truth | None, answers: dict[str, str]) -> bytes:
    from radvqa.report.examples import Answered, Example, small_png
    from radvqa.report.figures.panel import panel_of
    from radvqa.report.figures.style import png
    from radvqa.report.judged import is_right

    gold = gold_of(truth, question)
    closed = truth is not None and truth.answer_type == "CLOSED"
    asked = Prediction("panel", question, gold, "", "CLOSED" if closed else "OPEN")
    rule = normaliser_for({"en"} if gold.isascii() else {"other"})
    given = [Answered(who, text, is_right(asked, text, rule) if gold else None) for who, text in answers.items()]
    return png(panel_of([Example(small_png(pixels), asked, tuple(given))]), _DPI, true_colours=True)
