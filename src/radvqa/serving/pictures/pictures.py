"""Pictures by id: taken in, kept while there is room, shown as their viewers see them."""

import asyncio
import secrets
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from radvqa.data import image
from radvqa.errors import RadvqaError
from radvqa.serving.pictures.picture import Picture, Truth, View
from radvqa.serving.settings import Limits


class GoneError(RadvqaError):
    """A picture that is not kept, or was never there."""


class Pictures:
    """All pictures; the longest unused ones make room for new ones.

    Args:
        limits: how many and how large.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._kept: OrderedDict[str, Picture] = OrderedDict()

    async def add(self, content: bytes, name: str, truth: Truth | None = None) -> Picture:
        """Take a file in.

        Raises:
            ImageError: when it is no picture, is broken, or is too large.
        """
        pixels = await asyncio.to_thread(image.decode, content, name=name)
        picture = Picture(
            secrets.token_urlsafe(12),
            name,
            "picture",
            content,
            pixels.shape[1],
            pixels.shape[0],
            window=(127.5, 255.0),
            truth=truth,
        )
        self._kept[picture.id] = picture
        while len(self._kept) > self._limits.pictures:
            self._kept.popitem(last=False)
        return picture

    def get(self, name: str) -> Picture:
        """Return a picture.

        Raises:
            GoneError: when it is not here.
        """
        if name not in self._kept:
            raise GoneError("This picture is not kept any more; choose it again.")
        self._kept.move_to_end(name)
        return self._kept[name]

    async def shown(self, picture: Picture, view: View) -> NDArray[np.uint8]:
        """Return a picture as its viewer sees it, ``(rows, columns)`` or with colours.

        Raises:
            ImageError: when there is no such frame or slice.
        """
        return await asyncio.to_thread(image.decode, picture.content, name=picture.name)
