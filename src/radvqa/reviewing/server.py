"""The review page's server: hands out pairs, takes decisions, shows pictures. It trusts nobody beyond this machine.

It binds to the loopback unless a token is given, answers only to its own names (against DNS rebinding), takes only JSON
that a page of its own can send, and shows only pictures of the queue.
"""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from radvqa.guarding.guard import Guard
from radvqa.guarding.rules import Rules
from radvqa.reviewing.doors import router
from radvqa.reviewing.queue import ReviewError, ReviewQueue

PAGE = Path(__file__).parent / "page"
_LONGEST_BODY = 200_000  # bytes


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

    app.include_router(router(queue), prefix="/api")
    app.mount("/page", StaticFiles(directory=PAGE), name="page")
    return app
