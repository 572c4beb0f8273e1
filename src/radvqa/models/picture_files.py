"""Pictures as the small files that are sent to a server: made once each, kept on disk, read when they are sent."""

import base64
from dataclasses import dataclass
from typing import Literal

import numpy as np

from radvqa.data import image
from radvqa.data.store import ImageStore

Format = Literal["png", "jpeg"]


@dataclass(frozen=True)
class PictureFile:
    """Turns pictures into files; a ``Resizing`` whose "pixels" are a file's bytes, so that ``ImageStore`` keeps them.

    Attributes:
        side: of the longer side in pixels, at most; the aspect is kept, and nothing is enlarged.
        format: ``png`` keeps every pixel, ``jpeg`` is smaller.
    """

    side: int
    format: Format

    @property
    def key(self) -> str:
        """The name of the table."""
        return f"{self.format}-{self.side}"

    def apply(self, pixels: image.Pixels) -> image.Pixels:
        """Return the file's bytes, ``(bytes,)``."""
        small = image.shrink(pixels, self.side)
        content = image.encode_png(small) if self.format == "png" else image.encode_jpeg(small)
        return np.frombuffer(content, np.uint8)


def data_uri(store: ImageStore, key: str, format: Format) -> str:  # noqa: A002 - as Pillow names it
    """Write a picture of a store of ``PictureFile``s as a data URI (RFC 2397)."""
    return f"data:image/{format};base64,{base64.b64encode(store.pixels(key).tobytes()).decode()}"
