"""Doors for the samples of data sets that lie on this machine."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from radvqa.serving.pictures.facts import facts
from radvqa.serving.pictures.shelves import Shelves
from radvqa.serving.service import Service

_SIDE = 128  # pixels of a thumbnail
_PAGE = 24


class Chosen(BaseModel):
    """A sample by its name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str = Field(max_length=100)
    split: str = Field(max_length=100)
    id: str = Field(max_length=500)


def router(service: Service) -> APIRouter:
    """Doors: data sets, their samples, and small pictures of them."""
    doors = APIRouter(prefix="/api", tags=["samples"])
    pictures, shelves = service.pictures, Shelves()

    @doors.get("/data")
    async def data() -> dict[str, Any]:
        """List the data sets on this machine that have questions and answers."""
        return {"data": await asyncio.to_thread(shelves.listed)}

    @doors.get("/samples")
    async def samples(
        data: Annotated[str, Query(max_length=100)],
        split: Annotated[str, Query(max_length=100)] = "",
        search: Annotated[str, Query(max_length=200)] = "",
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=100)] = _PAGE,
    ) -> dict[str, Any]:
        """List samples whose question, answer or picture's name holds the words that are searched for."""
        return await asyncio.to_thread(shelves.found, data, split, search, offset, limit)

    @doors.post("/samples", status_code=201)
    async def choose(chosen: Chosen) -> dict[str, Any]:
        """Take a sample's picture in, with what the data set says about it."""
        content, truth = await asyncio.to_thread(shelves.opened, chosen.data, chosen.split, chosen.id)
        picture = await pictures.add(content, truth.image.rpartition("/")[2] or truth.image, truth)
        return facts(picture, pictures.keeps)

    @doors.get("/thumbnails", response_class=Response, responses={200: {"content": {"image/webp": {}}}})
    async def thumbnail(
        data: Annotated[str, Query(max_length=100)],
        split: Annotated[str, Query(max_length=100)],
        id: Annotated[str, Query(max_length=500)],  # noqa: A002 - as it is called in the address
    ) -> Response:
        """Return a small picture of a sample."""
        content, _ = await asyncio.to_thread(shelves.opened, data, split, id)
        small = await pictures.small(content, _SIDE)
        return Response(small, media_type="image/webp", headers={"Cache-Control": "private, max-age=3600"})

    return doors
