"""Pictures as Qwen2-VL and Qwen2.5-VL see them: as many patches as the picture's size asks for.

The checkpoint's own image processor resizes a picture to multiples of a token's side, keeping its aspect and staying
between a smallest and a largest number of pixels; the store keeps what comes out, and the device normalises it and
cuts it into patches. What the vision tower gets is what the processor would have given.

Letters: ``m`` pictures, ``n`` patches of all of them, ``q`` numbers of a patch, ``h`` × ``w`` pixels.

Source: Wang et al., Qwen2-VL, arXiv 2409.12191 (dynamic resolution, M-RoPE).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from radvqa.data.image import Pixels
from radvqa.data.store import ImageStore
from radvqa.errors import ImageError, RecipeError, WeightsError
from radvqa.models.image_processing import ImageProcessing


@dataclass(frozen=True)
class Patches:
    """Pictures of any sizes, cut up and laid end to end.

    Attributes:
        values: scaled and normalised, ``(n, q)``; the patches of one image token stand together.
        grid: time, rows and columns of each picture, in patches, ``(m, 3)``.
    """

    values: Tensor
    grid: Tensor


class QwenPictures:
    """A ``Resizing`` by the checkpoint's own processor, and the patches that belong to it.

    Args:
        folder: of the checkpoint.
        min_pixels: smaller pictures are enlarged to this many pixels; the checkpoint's own limit when None.
        max_pixels: larger pictures are reduced to this many pixels; the checkpoint's own limit when None.

    Raises:
        WeightsError: when the checkpoint's image processor is of another kind.
        RecipeError: when the limits contradict each other or no image token fits into them.
    """

    def __init__(self, folder: Path, min_pixels: int | None = None, max_pixels: int | None = None) -> None:
        # by these names, because a processor file that holds them lets them win over ``size``
        limits = {"min_pixels": min_pixels, "max_pixels": max_pixels}
        given = {name: value for name, value in limits.items() if value is not None}
        self.processing = ImageProcessing(folder, given)
        self.processor: Any = self.processing.processor
        if not hasattr(self.processor, "temporal_patch_size"):
            raise WeightsError(
                f"{folder}: its image processor is a {type(self.processor).__name__}; Qwen2-VL needs its own "
                f"(image_processor_type: Qwen2VLImageProcessor)."
            )
        self.side = int(self.processor.patch_size * self.processor.merge_size)
        least, most = int(self.processor.size["shortest_edge"]), int(self.processor.size["longest_edge"])
        if most < max(least, self.side**2):
            raise RecipeError(
                f"model.max_pixels: {most} pixels are allowed at most, but an image token takes {self.side**2} pixels "
                f"and a picture has at least {least}; raise max_pixels or lower min_pixels."
            )

    @property
    def key(self) -> str:
        """The processor's kind and a digest of its settings."""
        return self.processing.key

    def apply(self, pixels: Pixels) -> Pixels:
        """Resize as the processor does, to multiples of an image token's side.

        Raises:
            ImageError: for a picture that is more than 200 times as long as it is wide.
        """
        colour = np.stack([pixels] * 3) if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
        try:
            resized = self.processor.resize(
                colour, size=self.processor.size, resample=self.processor.resample, factor=self.side
            )
        except ValueError as error:
            height, width = pixels.shape[:2]
            raise ImageError(f"A picture of {width} × {height} pixels cannot be resized: {error}.") from None
        kept: Pixels = np.ascontiguousarray(resized[0] if pixels.ndim == 2 else np.moveaxis(resized, 0, -1))
        return kept

    def grid(self, store: ImageStore, key: str) -> tuple[int, int]:
        """Rows and columns of image tokens that a stored picture becomes."""
        height, width = store.pixels(key).shape[:2]
        return height // self.side, width // self.side

    def patches(self, store: ImageStore, keys: Sequence[str], device: torch.device) -> Patches:
        """Cut stored pictures into patches, as the processor would.

        Args:
            store: made with this ``Resizing``.
            keys: of ``m`` pictures.
            device: where they are wanted.
        """
        cut = [self.cut(self.processing.values(store, [key], device)[0]) for key in keys]
        merge = int(self.processor.merge_size)
        sizes = [(1, merge * rows, merge * columns) for rows, columns in (self.grid(store, key) for key in keys)]
        return Patches(torch.cat(cut), torch.tensor(sizes, dtype=torch.long, device=device))

    def cut(self, values: Tensor) -> Tensor:
        """Patches of one picture, ``(3, h, w)`` → ``(n, q)``; a still picture is shown for all moments of a patch."""
        patch, merge, moments = (
            int(getattr(self.processor, name)) for name in ("patch_size", "merge_size", "temporal_patch_size")
        )
        channels, height, width = values.shape
        rows, columns = height // self.side, width // self.side
        blocks = values.reshape(channels, rows, merge, patch, columns, merge, patch).permute(1, 4, 2, 5, 0, 3, 6)
        moving = blocks[..., None, :, :].expand(*blocks.shape[:5], moments, patch, patch)
        return moving.reshape(rows * columns * merge**2, -1)


def positions(before: int, rows: int, columns: int, after: int) -> Tensor:
    """Count time, rows and columns of a prefix that holds one picture (M-RoPE), ``(3, length)``.

    Text counts the same on all three axes; the picture stands at one moment; text goes on after its longer side.

    Args:
        before: text tokens before the picture.
        rows: of image tokens.
        columns: of image tokens.
        after: text tokens after the picture.
    """
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    picture = torch.stack([torch.zeros_like(row), row, column]).flatten(1) + before
    first = torch.arange(before).expand(3, -1)
    last = (torch.arange(after) + before + max(rows, columns)).expand(3, -1)
    return torch.cat([first, picture, last], 1)
