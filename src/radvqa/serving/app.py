"""The application: all doors, and the page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from radvqa.errors import RadvqaError
from radvqa.guarding.guard import Guard
from radvqa.reviewing.server import PAGE as REVIEWING
from radvqa.serving import answers, review
from radvqa.serving.batching import BusyError
from radvqa.serving.guarded import rules
from radvqa.serving.judgements import doors as judgements
from radvqa.serving.maps import maps, panel
from radvqa.serving.openai import chat, errors
from radvqa.serving.openai import models as openai_models
from radvqa.serving.pictures import samples, uploads
from radvqa.serving.pictures.pictures import GoneError
from radvqa.serving.pictures.uploads import TooLongError, TooSlowError
from radvqa.serving.refusals import REFUSALS, sentence
from radvqa.serving.runs import doors as runs
from radvqa.serving.runs.listed import UnknownRunError
from radvqa.serving.service import Service
from radvqa.serving.sheets import doors as sheets

PAGE = Path(__file__).parent / "page"
DOORS = (
    answers.router,
    uploads.router,
    samples.router,
    maps.router,
    panel.router,
    judgements.router,
    judgements.exports,
    runs.router,
    sheets.router,
    review.router,
    openai_models.router,
    chat.router,
)
"""Functions that build the routers, in the order of the documentation."""
STATUS: dict[type[RadvqaError], int] = {
    GoneError: 404,
    UnknownRunError: 404,
    TooLongError: 413,
    TooSlowError: 408,
}
"""What an error is over HTTP; all others are 422."""


def application(service: Service) -> FastAPI:
    """Build the application; it closes the service when it ends."""

    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        service.pictures.workers.warm()
        yield
        await service.close()

    app = FastAPI(
        title="radvqa",
        description="Ask models about medical pictures. For research only, not for diagnosis.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=living,
        responses=REFUSALS,
    )

    @app.exception_handler(RequestValidationError)
    async def unreadable(_request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": sentence(error.errors())}, 422)

    @app.exception_handler(RadvqaError)
    async def told(_request: Request, error: RadvqaError) -> JSONResponse:
        if isinstance(error, BusyError):
            return JSONResponse({"detail": str(error)}, 429, {"Retry-After": str(error.seconds)})
        return JSONResponse({"detail": str(error)}, status_code=STATUS.get(type(error), 422))

    for door in DOORS:
        app.include_router(door(service))

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-store"})

    app.mount("/reviewing", StaticFiles(directory=REVIEWING), name="reviewing")
    app.mount("/page", StaticFiles(directory=PAGE), name="page")
    app.add_middleware(Guard, rules=rules(service.settings))
    errors.install(app)
    return app
