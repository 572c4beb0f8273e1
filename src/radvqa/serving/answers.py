"""Asking: a question about a picture to one model or several; answers come as they are found."""

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radvqa.asking import NOTICE
from radvqa.errors import RadvqaError
from radvqa.serving.answerers.answerer import Asked, Reply
from radvqa.serving.events import EVENTS, EventStream, Tell, stream
from radvqa.serving.pictures.picture import View
from radvqa.serving.service import Service
from radvqa.serving.shelf import State


class Question(BaseModel):
    """A question about a picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    picture: str = Field(max_length=100, description="Id of a picture that was handed in.")
    view: View = View()
    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    models: list[Annotated[str, Field(max_length=200)]] = Field(
        default_factory=list, max_length=8, description="Names; the first model when there is none."
    )


class Model(BaseModel):
    """A model that can be asked."""

    name: str
    family: str
    state: State
    problem: str = Field(description="Why it could not be loaded; empty otherwise.")


class Models(BaseModel):
    """All models; the first is asked when none is named."""

    models: list[Model]
    notice: str = NOTICE


def router(service: Service) -> APIRouter:
    """Doors: the models, and asking them."""
    doors = APIRouter(prefix="/api", tags=["asking"])

    @doors.get("/models")
    async def models() -> Models:
        """List the models that can be asked."""
        offers = service.shelf.offers.values()
        return Models(models=[Model(name=o.name, family=o.family, state=o.state, problem=o.problem) for o in offers])

    @doors.post("/answers", response_class=EventStream, responses=EVENTS)
    async def answers(question: Question) -> StreamingResponse:
        """Ask; server-sent events `progress`, `token`, `answer` and `refused`, each with its `model`, then `end`."""
        picture = service.pictures.get(question.picture)
        offers = [service.shelf.offer(name) for name in dict.fromkeys(question.models or [service.shelf.first])]

        async def work(tell: Tell) -> None:
            seen = await service.pictures.seen(picture, question.view)
            asked = Asked(seen.pixels, seen.digest, question.question)
            await asyncio.gather(*(answered(service, offer.name, asked, tell) for offer in offers))

        return stream(work)

    return doors


async def answered(service: Service, name: str, asked: Asked, tell: Tell) -> None:
    """Ask one model; what it cannot do is told as ``refused``, so that the others still answer."""
    offer = service.shelf.offer(name)
    try:
        if offer.state != "ready":
            tell("progress", model=name, text="loading the model")
        loaded = await offer.loaded()
        tell("progress", model=name, text="answering")
        began = time.perf_counter()
        if loaded.can_be_heard:
            reply = await loaded.heard(asked, lambda text: tell("token", model=name, text=text))
        else:
            reply = await loaded.batcher.ask(asked)
        tell("answer", model=name, seconds=round(time.perf_counter() - began, 3), **plain(reply))
    except RadvqaError as error:
        tell("refused", model=name, error=str(error))


def plain(reply: Reply) -> dict[str, Any]:
    """A reply as the page gets it."""
    return {
        "answer": reply.answer,
        "abstained": reply.abstained,
        "confidence": reply.confidence,
        "candidates": [{"answer": answer, "probability": p} for answer, p in reply.candidates],
        "tokens": [{"text": token.text, "log_probability": token.log_probability} for token in reply.tokens],
        "notice": NOTICE,
    }
