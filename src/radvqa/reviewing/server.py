"""The review page's server: hands out pairs, takes decisions, shows pictures. It trusts nobody beyond this machine.

It binds to the loopback unless a token is given, answers only to its own names (against DNS rebinding), takes only JSON
that a page of its own can send, and shows only pictures of the queue.
"""

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from radvqa.reviewing.doors import router
from radvqa.reviewing.queue import ReviewError, ReviewQueue

PAGE = Path(__file__).parent / "page"
_LONGEST_BODY = 200_000  # bytes
_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_COOKIE = "radvqa-review"


def application(queue: ReviewQueue, *, hosts: tuple[str, ...] = (), token: str = "") -> FastAPI:
    """Build the application.

    Args:
        queue: what is reviewed.
        hosts: names under which it may be reached besides the loopback's.
        token: that must be shown once, as ``?token=…``, by whoever opens the page; empty asks for none.
    """
    app = FastAPI(title="radvqa review", docs_url=None, redoc_url=None, openapi_url=None)
    names = {"127.0.0.1", "localhost", "[::1]", *hosts}

    @app.middleware("http")
    async def guarded(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        refused = _refusal(request, names, token)
        response = refused or await go_on(request)
        response.headers.update(
            {
                "Content-Security-Policy": _POLICY,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
                "Cross-Origin-Resource-Policy": "same-origin",
            }
        )
        if token and refused is None and request.query_params.get("token"):
            response.set_cookie(_COOKIE, token, httponly=True, samesite="strict")
        return response

    @app.exception_handler(ReviewError)
    async def told(_request: Request, error: ReviewError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=422)

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-store"})

    app.include_router(router(queue), prefix="/api")
    app.mount("/page", StaticFiles(directory=PAGE), name="page")
    return app


def _refusal(request: Request, names: set[str], token: str) -> Response | None:
    """Return why a request is not answered; None where it is."""
    host = request.headers.get("host", "")
    if host.rsplit(":", 1)[0] not in names and host not in names:
        return JSONResponse({"detail": f"This server is not called {host!r}."}, status_code=421)
    if request.method == "POST":
        if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
            return JSONResponse({"detail": "Send JSON."}, status_code=415)
        size = request.headers.get("content-length", "")
        if not size.isdigit() or int(size) > _LONGEST_BODY:
            return JSONResponse({"detail": f"Send at most {_LONGEST_BODY} bytes."}, status_code=413)
    if token:
        shown = request.query_params.get("token") or request.cookies.get(_COOKIE) or ""
        if not secrets.compare_digest(shown.encode(), token.encode()):
            return JSONResponse({"detail": "Open the address that `radvqa curate review` printed."}, status_code=401)
    return None
