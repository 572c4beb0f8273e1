"""Doors: which methods there are, maps of an answer, what words and patches moved, and where the truth lies."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from radvqa.serving.answerers.answerer import Asked
from radvqa.serving.events import EVENTS, EventStream, stream
from radvqa.serving.maps.known import LabelledRegion, Methods, Regions
from radvqa.serving.maps.slow import Slow
from radvqa.serving.maps.truth import gold_of, plain, regions_of
from radvqa.serving.maps.wanted import About, MapWanted, PatchWanted
from radvqa.serving.service import Service

if TYPE_CHECKING:
    from radvqa.serving.maps.looking import Progress
    from radvqa.serving.maps.sessions import Sessions


def router(service: Service) -> APIRouter:
    """Doors of what moved a model."""
    doors = APIRouter(prefix="/api", tags=["seeing"])
    slow = Slow(service)
    known: dict[str, dict[str, Any]] = {}

    def refuse_unknown(about: About) -> None:
        service.pictures.get(about.picture)
        service.shelf.offer(about.model)

    @doors.get("/methods")
    async def methods(model: Annotated[str, Query(max_length=200)]) -> Methods:
        """List the ways to make a map, and which of them apply; of a loaded model its layers and heads too."""
        offer = service.shelf.offer(model)
        if offer.state != "ready":
            return Methods(model=model, **await asyncio.to_thread(_methods_of_family, offer.family))
        if model not in known:
            loaded, sessions = await slow.opened(model)
            thread = loaded.batcher.thread
            known[model] = await asyncio.get_running_loop().run_in_executor(thread, _methods_of, sessions)
        return Methods(model=model, **known[model])

    @doors.post("/maps", response_class=EventStream, responses=EVENTS)
    async def maps(wanted: MapWanted) -> StreamingResponse:
        """Make a map of an answer; events `progress` with `done` and `total` passes, `map`, then `end` or `failed`."""
        refuse_unknown(wanted)
        truth = service.pictures.get(wanted.picture).truth

        def work(sessions: "Sessions", asked: Asked, progress: "Progress") -> dict[str, Any]:
            from radvqa.explaining.evidence.target import target
            from radvqa.serving.maps.looking import map_of

            gold = gold_of(truth, asked.question)
            place = target(asked.question, gold, regions_of(truth), *asked.pixels.shape[:2])
            return map_of(sessions, asked, wanted, place, progress)

        return stream(lambda tell: slow.do(wanted, tell, "map", work))

    @doors.post("/words", response_class=EventStream, responses=EVENTS)
    async def words(about: About) -> StreamingResponse:
        """Leave each word out of the question; events `progress`, `words`, then `end` or `failed`."""
        refuse_unknown(about)

        def work(sessions: "Sessions", asked: Asked, progress: "Progress") -> dict[str, Any]:
            from radvqa.serving.maps.looking import words_of

            return words_of(sessions, asked, progress)

        return stream(lambda tell: slow.do(about, tell, "words", work))

    @doors.post("/patches", response_class=EventStream, responses=EVENTS)
    async def patches(wanted: PatchWanted) -> StreamingResponse:
        """Cover a part of the picture; events `progress`, `patch` with each word's probability, then `end`."""
        refuse_unknown(wanted)

        def work(sessions: "Sessions", asked: Asked, progress: "Progress") -> dict[str, Any]:
            from radvqa.serving.maps.looking import patch_of

            return patch_of(sessions, asked, wanted, progress)

        return stream(lambda tell: slow.do(wanted, tell, "patch", work))

    @doors.get("/pictures/{picture}/regions")
    async def regions(picture: str, question: Annotated[str, Query(max_length=2000)] = "") -> Regions:
        """List the labelled regions of a sample's picture, and which of them a question is about."""
        truth = service.pictures.get(picture).truth
        asked = question or (truth.question if truth is not None else "")

        def found() -> list[LabelledRegion]:
            from radvqa.explaining.evidence.target import meant

            labelled = regions_of(truth)
            return plain(labelled, meant(asked, gold_of(truth, asked), labelled))

        return Regions(regions=await asyncio.to_thread(found))

    return doors


def _methods_of_family(family: str) -> dict[str, Any]:
    from radvqa.explaining.inside.opening import can_open
    from radvqa.serving.maps.looking import methods_of

    return methods_of(None, opens=can_open(family))


def _methods_of(sessions: "Sessions") -> dict[str, Any]:
    from radvqa.serving.maps.looking import methods_of

    with sessions.at_work():
        return methods_of(sessions, opens=sessions.opens)
