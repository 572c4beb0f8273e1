"""Doors for pictures: taken in as plain bytes, described, shown as models see them, and as greys for a viewer."""

import asyncio
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from numpy.typing import NDArray
from starlette.requests import ClientDisconnect

from radvqa.data.image import encode_png
from radvqa.errors import RadvqaError
from radvqa.serving.batching import BusyError
from radvqa.serving.pictures.decoded import Decoded
from radvqa.serving.pictures.facts import facts
from radvqa.serving.pictures.naming import plain_name
from radvqa.serving.pictures.picture import View
from radvqa.serving.service import Service

_AT_ONCE = 16  # files that are being taken in
_SECONDS = 120.0  # for the bytes of one to arrive
_NO_STORE = {"Cache-Control": "no-store"}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class TooLongError(RadvqaError):
    """A file with more bytes than are taken."""


class TooSlowError(RadvqaError):
    """A file whose bytes do not come."""


def router(service: Service) -> APIRouter:
    """Doors: pictures."""
    doors = APIRouter(prefix="/api/pictures", tags=["pictures"])
    pictures = service.pictures
    taking = [0]

    @doors.post("", status_code=201, openapi_extra=_UPLOAD)
    async def add(request: Request) -> dict[str, Any]:
        """Take a picture in: PNG, JPEG, BMP, TIFF, GIF, WebP, DICOM or NIfTI, told by its content.

        The body is the file; the header `X-Name` may hold its name, percent-encoded.
        """
        if taking[0] >= _AT_ONCE:
            raise BusyError(1, "Too many pictures are being taken in now; send it again in 1 s.")
        taking[0] += 1
        try:
            content = await _body(request, service.settings.limits.picture_bytes)
            picture = await pictures.add(content, plain_name(request.headers.get("x-name", "")))
        finally:
            taking[0] -= 1
        return facts(picture, pictures.keeps)

    @doors.get("/{picture}")
    async def one(picture: str) -> dict[str, Any]:
        """Describe a picture."""
        return facts(pictures.get(picture), pictures.keeps)

    @doors.delete("/{picture}", status_code=204)
    async def forget(picture: str) -> None:
        """Let a picture go."""
        pictures.forget(picture)

    @doors.get("/{picture}/pixels", response_class=Response, responses={200: {"content": {"image/png": {}}}})
    async def pixels(picture: str, view: Annotated[View, Depends(_view)]) -> Response:
        """Return a picture as PNG: exactly what a model is asked about."""
        seen = await pictures.seen(pictures.get(picture), view)
        return Response(await asyncio.to_thread(encode_png, seen.pixels), media_type="image/png", headers=_NO_STORE)

    @doors.get(
        "/{picture}/values", response_class=Response, responses={200: {"content": {"application/octet-stream": {}}}}
    )
    async def values(picture: str, view: Annotated[View, Depends(_view)]) -> Response:
        """Return the greys before a window shows them, little-endian, row by row.

        Headers: `X-Shape` (rows, columns, and 3 for colours), `X-Type` (`uint8`, `int16`, `uint16` or `float32`),
        `X-Window` (centre and width that show it first; empty where no window does), `X-Padding` (the value that is
        black in every window; empty for none) and `X-Inverted` (`1` where small values are bright).
        """
        known, greys = await pictures.values(pictures.get(picture), view)
        return Response(greys.tobytes(), media_type="application/octet-stream", headers=_described(known, greys))

    return doors


def _view(
    frame: Annotated[int | None, Query(ge=1, le=100_000)] = None,
    slice: Annotated[int | None, Query(ge=0, le=100_000)] = None,  # noqa: A002 - as it is called in the address
    axis: Literal["axial", "coronal", "sagittal"] | None = None,
    window: Annotated[str | None, Query(max_length=64, description="Centre and width, such as 40,400.")] = None,
) -> View:
    return View(frame=frame, slice=slice, axis=axis, window=_window(window))


def _window(text: str | None) -> tuple[float, float] | None:
    if not text:
        return None
    try:
        centre, width = (float(number) for number in text.split(","))
    except ValueError:
        raise RadvqaError("A window is its centre and width, such as 40,400.") from None
    return centre, width


async def _body(request: Request, most: int) -> bytes:
    """Read a body, whatever it says of its own length.

    Raises:
        TooLongError: as soon as it is too long.
        TooSlowError: when its bytes do not come.
    """
    content = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                if len(content) + len(chunk) > most:
                    raise TooLongError(f"The file is larger than {most:,} bytes, the limit.")
                content += chunk
    except ClientDisconnect:
        raise TooSlowError("The file did not arrive whole.") from None
    except TimeoutError:
        raise TooSlowError(f"The file did not arrive within {_SECONDS:g} s; send it again.") from None
    return bytes(content)


def _described(known: Decoded, greys: NDArray[np.generic]) -> dict[str, str]:
    return {
        **_NO_STORE,
        "X-Shape": ",".join(map(str, greys.shape)),
        "X-Type": known.type,
        "X-Window": "" if known.window is None else ",".join(repr(number) for number in known.window),
        "X-Padding": "" if known.padding is None else str(known.padding),
        "X-Inverted": "1" if known.inverted else "0",
    }
