"""Doors of review sheets."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from radvqa.diagnosing.taking_in import Diagnosed
from radvqa.serving.runs.listed import Runs
from radvqa.serving.service import Service
from radvqa.serving.sheets.pictures import SheetPictures, maps_of
from radvqa.serving.sheets.sheets import Sheets, filled


class Mark(BaseModel):
    """What a reviewer says of one question of a sheet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str = Field(max_length=500)
    data: str = Field(max_length=200)
    split: str = Field(max_length=200)
    id: str = Field(max_length=1000, description="Of the question.")
    reviewer: str = Field(max_length=200)
    verdict: str = Field(max_length=40, description="As the sheet names them; empty takes an earlier one back.")
    failure: str = Field("", max_length=200, description="What went wrong, in a word or two.")
    comment: str = Field("", max_length=4000)


def router(service: Service) -> APIRouter:
    """Doors under ``/api/sheets``."""
    doors = APIRouter(prefix="/api/sheets", tags=["judging"])
    sheets, pictures = Sheets(Runs(service.settings.runs)), SheetPictures()

    def named(
        run: Annotated[str, Query(max_length=500)],
        data: Annotated[str, Query(max_length=200)],
        split: Annotated[str, Query(max_length=200)],
    ) -> Diagnosed:
        return sheets.sheet(run, data, split)

    @doors.get("")
    def listed() -> dict[str, Any]:
        """List the review sheets of all runs."""
        return {"sheets": sheets.told()}

    @doors.get("/rows")
    def rows(
        sheet: Annotated[Diagnosed, Depends(named)], reviewer: Annotated[str, Query(max_length=200)] = ""
    ) -> dict[str, Any]:
        """Return a sheet's questions and what one reviewer said of them."""
        return {**filled(sheet, reviewer), "maps": bool(maps_of(sheet)[1])}

    @doors.get("/picture", response_class=Response)
    def picture(
        sheet: Annotated[Diagnosed, Depends(named)],
        row: Annotated[str, Query(max_length=1000, alias="id")],
        overlay: Annotated[bool, Query(alias="map")] = False,
    ) -> Response:
        """Show the picture of a question, with the map of the answer laid over where one is wanted."""
        content = pictures.drawn(sheet, row, with_map=overlay)
        return Response(content, media_type="image/webp", headers={"Cache-Control": "private, max-age=600"})

    @doors.post("/marks")
    def mark(said: Mark) -> dict[str, Any]:
        """Take a verdict in; it is on disk when the reply comes, and `radvqa diagnose` counts it as of a sheet."""
        sheet = sheets.sheet(said.run, said.data, said.split)
        words = {"verdict": said.verdict, "failure": said.failure.strip(), "comment": said.comment.strip()}
        return {"summary": sheets.mark(sheet, said.id, said.reviewer, words)}

    return doors
