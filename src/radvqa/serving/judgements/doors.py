"""Doors of judgements: one is taken in, all are listed, counted and taken along."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from radvqa.serving.judgements.choosing import Wanted
from radvqa.serving.judgements.exporting import as_csv, as_jsonl
from radvqa.serving.judgements.judgement import Judgement, Verdict
from radvqa.serving.judgements.records import Records
from radvqa.serving.judgements.summary import summary
from radvqa.serving.pictures.picture import View
from radvqa.serving.service import Service

Text = Annotated[str, Query(max_length=200)]
_LONGEST = 100_000  # judgements before the page's offset


class Said(BaseModel):
    """What a reader says about an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: str = Field(
        min_length=8, max_length=100, description="Made anew for each judgement; sent again, it counts once."
    )
    reader: str = Field(max_length=200, description="Name of who judges.")
    verdict: Verdict
    model: str = Field(max_length=200)
    picture: str = Field(max_length=100, description="Id of the picture; only a digest of it is kept.")
    view: View = View()
    question: str = Field(min_length=1, max_length=2000)
    answer: str | None = Field(None, max_length=20_000, description="As the model gave it; null where it gave none.")
    confidence: float | None = Field(None, ge=0, le=1)
    better: str = Field("", max_length=2000, description="The answer that the reader would give.")
    comment: str = Field("", max_length=4000)


def _wanted(
    model: Text = "",
    reader: Text = "",
    verdict: Annotated[Verdict | None, Query()] = None,
    data: Text = "",
    search: Text = "",
    replaced: bool = False,
) -> Wanted:
    return Wanted(model, reader, verdict or "", data, search, replaced)


def router(service: Service) -> APIRouter:
    """Doors under ``/api/judgements``."""
    doors = APIRouter(prefix="/api/judgements", tags=["judging"])
    records = Records(service.settings.records)

    @doors.post("", status_code=201)
    async def judge(said: Said, response: Response) -> dict[str, Any]:
        """Keep a judgement; it is on disk when the reply comes. One that was sent before is answered with 200."""
        service.shelf.offer(said.model)
        picture = service.pictures.get(said.picture)
        digest = (await service.pictures.seen(picture, said.view)).digest
        truth = picture.truth
        one = Judgement(
            **said.model_dump(exclude={"picture", "view"}),
            picture=digest,
            data=truth.data if truth else "",
            split=truth.split if truth else "",
            sample=truth.id if truth else "",
            gold=truth.answer if truth and truth.question == said.question else None,
        )
        kept, new = await asyncio.to_thread(records.keep, one)
        if not new:
            response.status_code = 200
        return {"number": kept.number, "new": new}

    @doors.get("")
    def listed(
        wanted: Annotated[Wanted, Depends(_wanted)],
        offset: Annotated[int, Query(ge=0, le=_LONGEST)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> dict[str, Any]:
        """List judgements, the latest first."""
        found = wanted.among(records.all())[::-1]
        return {"judgements": [one.plain() for one in found[offset : offset + limit]], "total": len(found)}

    @doors.get("/summary")
    def summed() -> dict[str, Any]:
        """Say what the judgements come to."""
        return summary(records.all())

    return doors


def exports(service: Service) -> APIRouter:
    """Doors of files to take along."""
    doors = APIRouter(prefix="/api", tags=["judging"])
    records = Records(service.settings.records)

    @doors.get("/judgements.csv", response_class=Response)
    def table(wanted: Annotated[Wanted, Depends(_wanted)]) -> Response:
        """All judgements as CSV; `radvqa score` reads those of one model and one reader."""
        return _file(as_csv(wanted.among(records.all())), "text/csv; charset=utf-8", "judgements.csv")

    @doors.get("/judgements.jsonl", response_class=Response)
    def lines(wanted: Annotated[Wanted, Depends(_wanted)]) -> Response:
        """All judgements as JSON lines."""
        return _file(as_jsonl(wanted.among(records.all())), "application/jsonl", "judgements.jsonl")

    return doors


def _file(text: str, kind: str, name: str) -> Response:
    return Response(
        text.encode("utf-8", "replace"),
        media_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
