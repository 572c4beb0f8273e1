"""Pictures by id: taken in, kept while there is room, shown as their viewers see them."""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radvqa import files
from radvqa.errors import RadvqaError
from radvqa.serving.pictures.decoded import Decoded
from radvqa.serving.pictures.picture import Picture, Truth, View
from radvqa.serving.pictures.room import Room
from radvqa.serving.pictures.workers import Question, Workers
from radvqa.serving.settings import Limits

if TYPE_CHECKING:
    from concurrent.futures import Future

_SHOWN_SHARE = 4  # of the room for files, a fourth again is there for what was decoded of them
_SMALL = 16_000_000  # bytes of small pictures


class GoneError(RadvqaError):
    """A picture that is not kept, or was never there."""


@dataclass(frozen=True)
class Seen:
    """A picture as its viewer sees it.

    Attributes:
        pixels: ``(rows, columns)`` or with colours; they cannot be written to.
        digest: of the pixels and their shape.
    """

    pixels: NDArray[np.uint8]
    digest: str


class Pictures:
    """All pictures; the longest unused ones make room for new ones.

    Files are decoded in processes of their own, and what was decoded last is kept, so that many who look at one
    picture cost one decoding.

    Args:
        limits: how many and how large.
        keep: folder where files are kept beyond this process, by their content; None keeps them in memory alone.
    """

    def __init__(self, limits: Limits, keep: Path | None = None) -> None:
        self.limits = limits
        self.workers = Workers(limits)
        self._keep = keep
        self._kept: OrderedDict[str, Picture] = OrderedDict()
        self._room: Room[Seen | tuple[Decoded, NDArray[Any]]] = Room(limits.kept_bytes // _SHOWN_SHARE)
        self._small: Room[bytes] = Room(_SMALL)
        self._decoding: dict[Hashable, Future[tuple[Decoded, NDArray[Any]]]] = {}

    async def add(self, content: bytes, name: str, truth: Truth | None = None) -> Picture:
        """Take a file in.

        Args:
            content: of the file.
            name: for people.
            truth: what a data set says about it.

        Raises:
            ImageError: when it is no picture, is broken, or is too large.
        """
        digest = await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())
        decoded, pixels = await asyncio.wrap_future(self.workers.ask(Question("open", digest, content)))
        picture = Picture(
            id=secrets.token_urlsafe(16),
            name=name,
            kind=decoded.kind,
            content=content,
            width=decoded.shape[1],
            height=decoded.shape[0],
            frames=decoded.frames,
            axes=decoded.axes,
            unit=decoded.unit,
            window=decoded.window,
            ct=decoded.ct,
            digest=digest,
            has_text=decoded.has_text,
            truth=truth,
        )
        if self._keep is not None and truth is None:
            suffix = ".dcm" if picture.kind == "dicom" else ""
            await asyncio.to_thread(files.write_bytes, self._keep / f"{digest}{suffix}", content)
        seen = Seen(pixels, await asyncio.to_thread(digest_of, pixels))
        self._room.put((digest, View(), "pixels"), seen, pixels.nbytes)
        self._kept[picture.id] = picture
        held = sum(len(one.content) for one in self._kept.values())
        while len(self._kept) > 1 and (len(self._kept) > self.limits.pictures or held > self.limits.kept_bytes):
            held -= len(self._kept.popitem(last=False)[1].content)
        return picture

    @property
    def keeps(self) -> str:
        """How long pictures are kept, in a sentence."""
        memory = "It stays in memory until the service stops or newer pictures need the room"
        if self._keep is None:
            return f"{memory}; nothing is written to disk."
        return f"{memory}; the service also keeps a copy on its disk, as whoever runs it wants."

    def get(self, name: str) -> Picture:
        """Return a picture.

        Raises:
            GoneError: when it is not here.
        """
        if name not in self._kept:
            raise GoneError("This picture is not kept any more; choose it again.")
        self._kept.move_to_end(name)
        return self._kept[name]

    def forget(self, name: str) -> None:
        """Let a picture go, and what was decoded of it.

        Raises:
            GoneError: when it is not here.
        """
        picture = self.get(name)
        del self._kept[name]
        if all(other.digest != picture.digest for other in self._kept.values()):
            self._room.drop(lambda key: isinstance(key, tuple) and key[0] == picture.digest)

    async def shown(self, picture: Picture, view: View) -> NDArray[np.uint8]:
        """Return a picture as its viewer sees it, ``(rows, columns)`` or with colours.

        Raises:
            ImageError: when there is no such frame or slice.
        """
        return (await self.seen(picture, view)).pixels

    async def seen(self, picture: Picture, view: View) -> Seen:
        """Return a picture as its viewer sees it, and the digest of its pixels; quick when it was seen before.

        Raises:
            ImageError: when there is no such frame or slice, or the window does not fit.
        """
        key = (picture.digest, view, "pixels")
        kept = self._room.get(key)
        if isinstance(kept, Seen):
            return kept
        _, pixels = await self._decoded(key, Question("pixels", picture.digest, picture.content, view))
        seen = Seen(pixels, await asyncio.to_thread(digest_of, pixels))
        self._room.put(key, seen, pixels.nbytes)
        return seen

    async def values(self, picture: Picture, view: View) -> tuple[Decoded, NDArray[Any]]:
        """Return the greys before a window shows them, and what must be known to lay one on; colours as they are.

        Raises:
            ImageError: when there is no such frame or slice.
        """
        view = view.model_copy(update={"window": None})
        key = (picture.digest, view, "values")
        kept = self._room.get(key)
        if isinstance(kept, tuple):
            return kept
        found = await self._decoded(key, Question("values", picture.digest, picture.content, view))
        self._room.put(key, found, found[1].nbytes)
        return found

    async def small(self, content: bytes, side: int) -> bytes:
        """Return a small WebP of a file, at most ``side`` pixels wide and high; quick when it was made before.

        Raises:
            ImageError: when it is no picture, is broken, or is too large.
        """
        digest = await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())
        key = (digest, side, "small")
        kept = self._small.get(key)
        if kept is None:
            kept = await self.workers.thumbnail(Question("thumbnail", digest, content, side=side))
            self._small.put(key, kept, len(kept))
        return kept

    async def _decoded(self, key: Hashable, question: Question) -> tuple[Decoded, NDArray[Any]]:
        """Decode; who asks for the same meanwhile waits for the same decoding, and one who leaves does not end it."""
        decoding = self._decoding.get(key)
        if decoding is None:
            decoding = self._decoding[key] = self.workers.ask(question)
            decoding.add_done_callback(lambda _: self._decoding.pop(key, None))
        return await asyncio.shield(asyncio.wrap_future(decoding))

    async def close(self) -> None:
        """Finish what is being decoded, then end the processes."""
        await asyncio.to_thread(self.workers.close)


def digest_of(pixels: NDArray[np.uint8]) -> str:
    """Name pixels by their content."""
    return hashlib.sha256(repr(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()
