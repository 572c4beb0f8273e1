"""Pictures of messages: decoded once, however many questions come with the same one."""

import asyncio
import base64
import binascii
import hashlib
from collections import OrderedDict
from contextlib import suppress
from urllib.parse import unquote_to_bytes

from radvqa.serving.answerers.answerer import Asked
from radvqa.serving.openai.errors import ApiError
from radvqa.serving.pictures import remote
from radvqa.serving.pictures.picture import View
from radvqa.serving.pictures.pictures import GoneError
from radvqa.serving.service import Service

_PARAM = "messages"
_STANDARD = bytes.maketrans(b"-_", b"+/")  # base64 as it is written in addresses is taken too


class Seen:
    """The pictures that were asked about last.

    Args:
        service: takes files in and shows them; it keeps none of these for the page.
    """

    def __init__(self, service: Service) -> None:
        self._service, self._limits = service, service.settings.limits
        self._kept: OrderedDict[str, asyncio.Task[Asked]] = OrderedDict()

    async def asked(self, address: str, question: str) -> Asked:
        """Put a question about the picture at an address, a data URI mostly.

        Raises:
            ApiError: when the address is none, or may not be followed.
            RadvqaError: when the picture cannot be decoded.
        """
        content = await self._content(address)
        name = await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())
        task = self._kept.get(name)
        if task is None:
            task = self._kept[name] = asyncio.create_task(self._decoded(content))
            task.add_done_callback(lambda done: self._settle(name, done))
        self._kept.move_to_end(name)
        found = await asyncio.shield(task)  # others may wait for the same picture
        return Asked(found.pixels, found.digest, question)

    async def _content(self, address: str) -> bytes:
        scheme = address[:8].lower()
        if scheme.startswith("data:"):
            return await asyncio.to_thread(data_of, address, self._limits.picture_bytes)
        if not scheme.startswith(("http://", "https://")):
            raise ApiError("A picture's url must be a data URI: data:image/png;base64,…", param=_PARAM)
        if not self._service.settings.remote_pictures:
            raise ApiError(
                "This service fetches no pictures from other addresses; send the picture itself as a data URI.",
                param=_PARAM,
                code="remote_pictures_refused",
            )
        try:
            return await remote.fetch(address, most=self._limits.picture_bytes)
        except remote.RemoteError as error:
            raise ApiError(str(error), param=_PARAM) from None

    async def _decoded(self, content: bytes) -> Asked:
        pictures = self._service.pictures
        picture = await pictures.add(content, "picture")
        seen = await pictures.seen(picture, View())
        with suppress(GoneError):
            pictures.forget(picture.id)  # a harness that sends thousands must not push out what people look at
        return Asked(seen.pixels, seen.digest, "")

    def _settle(self, name: str, done: "asyncio.Task[Asked]") -> None:
        """Keep a picture that was decoded, and make room; one that was not is tried again."""
        if done.cancelled() or done.exception() is not None:
            self._kept.pop(name, None)
        while len(self._kept) > self._limits.pictures or self._bytes() > self._limits.kept_bytes // 4:
            oldest = next(iter(self._kept))
            if oldest == name:
                break
            del self._kept[oldest]

    def _bytes(self) -> int:
        decoded = (task for task in self._kept.values() if task.done() and not task.cancelled())
        return sum(task.result().pixels.nbytes for task in decoded if task.exception() is None)


def data_of(address: str, most: int) -> bytes:
    """Read a data URI (RFC 2397); what it says of its kind is overlooked, the content decides.

    Raises:
        ApiError: when it is none, or holds more bytes than may be.
    """
    head, comma, data = address.partition(",")
    if not comma or not data:
        raise ApiError("The picture's data URI is cut off: nothing follows its comma.", param=_PARAM)
    if len(data) > most * 4:
        raise ApiError(f"The picture is larger than {most:,} bytes.", 413, param=_PARAM)
    try:
        if head.lower().replace(" ", "").endswith(";base64"):
            plain = (unquote_to_bytes(data) if "%" in data else data.encode("ascii")).translate(_STANDARD, b" \t\r\n")
            content = base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
        else:
            content = unquote_to_bytes(data)
    except (binascii.Error, ValueError):
        raise ApiError("The picture's data URI holds no proper base64.", param=_PARAM) from None
    if len(content) > most:
        raise ApiError(f"The picture is larger than {most:,} bytes.", 413, param=_PARAM)
    return content
