"""Doors of runs: listed, told of, watched, compared."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from radvqa.serving.runs.compared import Compared, Outcome, disagreements, told
from radvqa.serving.runs.detail import detail
from radvqa.serving.runs.history import history
from radvqa.serving.runs.listed import Runs
from radvqa.serving.service import Service

Name = Annotated[str, Query(max_length=500, description="Of a run, as it is listed.")]
Text = Annotated[str, Query(max_length=200)]
_MOST = 1_000_000


def router(service: Service) -> APIRouter:
    """Doors under ``/api/runs``, ``/api/comparison`` and ``/api/disagreements``."""
    doors = APIRouter(prefix="/api", tags=["runs"])
    runs = Runs(service.settings.runs)
    compared = Compared(runs)

    @doors.get("/runs")
    def listed() -> dict[str, Any]:
        """List all runs with their scores."""
        return {"runs": runs.told()}

    @doors.get("/runs/{name:path}/history")
    def curve(name: str) -> dict[str, Any]:
        """Tell how a training goes or went."""
        return history(runs.run(name))

    @doors.get("/runs/{name:path}")
    def one(name: str) -> dict[str, Any]:
        """Tell everything of a run."""
        return {**runs.one(name), **detail(runs.run(name))}

    @doors.get("/comparison")
    def comparison(
        run: Annotated[list[str], Query(min_length=2, max_length=2)], data: Text = "", split: Text = ""
    ) -> dict[str, Any]:
        """Lay two runs side by side, with the paired difference of the second to the first."""
        return told(compared.comparison(run[0], run[1], data, split))

    @doors.get("/disagreements")
    def differing(
        run: Annotated[list[str], Query(min_length=2, max_length=2)],
        data: Text = "",
        split: Text = "",
        outcome: Annotated[Outcome | None, Query()] = None,
        answer_type: Annotated[Literal["OPEN", "CLOSED"] | None, Query()] = None,
        search: Text = "",
        offset: Annotated[int, Query(ge=0, le=_MOST)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 25,
    ) -> dict[str, Any]:
        """List questions that both runs answered, by who is right."""
        found = compared.comparison(run[0], run[1], data, split)
        return disagreements(
            found,
            (run[0], run[1]),
            outcome=outcome or "",
            answer_type=answer_type or "",
            search=search,
            offset=offset,
            limit=limit,
        )

    @doors.get("/disagreements/picture", response_class=Response)
    def picture(run: Name, image: Annotated[str, Query(max_length=1000)]) -> Response:
        """Show the small picture that a run keeps of an image."""
        content = compared.picture(run, image)
        return Response(content, media_type="image/webp", headers={"Cache-Control": "private, max-age=600"})

    return doors
