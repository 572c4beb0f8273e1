"""A checkpoint's own image processor, run once a picture: the store keeps its 8-bit pixels, the device normalises.

What a processor does to a picture is resizing and cropping, which cost time and depend on the picture only, and
scaling and normalising, which are two operations on a tensor. So the first half is stored and the second is done
when a batch is made; the result is the processor's own.
"""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from radvqa import fingerprint
from radvqa.data.image import Pixels
from radvqa.data.store import ImageStore
from radvqa.errors import WeightsError


class ImageProcessing:
    """A ``Resizing`` by a checkpoint's own image processor, and the normalisation that belongs to it.

    Args:
        folder: of the checkpoint; holds ``preprocessor_config.json`` or ``processor_config.json``.
        changes: of the processor's settings, for instance ``{"size": {"height": 224, "width": 224}}``.

    Raises:
        WeightsError: when the folder says nothing about its image processor.
    """

    def __init__(self, folder: Path, changes: dict[str, Any] | None = None) -> None:
        from transformers import AutoImageProcessor

        if not any((folder / name).is_file() for name in ("preprocessor_config.json", "processor_config.json")):
            raise WeightsError(
                f"{folder} holds no preprocessor_config.json, so it is unknown how its pictures are resized; copy it "
                f"from where the checkpoint was published."
            )
        self.processor: Any = AutoImageProcessor.from_pretrained(
            folder, local_files_only=True, backend="pil", **(changes or {})
        )

    @cached_property
    def key(self) -> str:
        """The processor's kind and a digest of its settings."""
        settings = json.loads(self.processor.to_json_string())
        return f"{type(self.processor).__name__}-{fingerprint.of_value(settings)[:16]}"

    def apply(self, pixels: Pixels) -> Pixels:
        """Resize and crop as the processor does; nothing is scaled, normalised or padded."""
        colour = np.stack([pixels] * 3, -1) if pixels.ndim == 2 else pixels
        done = self.processor(
            images=colour,
            do_rescale=False,
            do_normalize=False,
            do_pad=False,
            input_data_format="channels_last",
            return_tensors="np",
        )["pixel_values"][0]
        resized: Pixels = (
            np.ascontiguousarray(np.moveaxis(np.asarray(done), 0, -1)).round().clip(0, 255).astype(np.uint8)
        )
        grey = pixels.ndim == 2
        return resized[..., 0].copy() if grey else resized

    def values(self, store: ImageStore, keys: Sequence[str], device: torch.device) -> Tensor:
        """Return scaled and normalised pictures of one size, ``(b, 3, h, w)``, as the processor would.

        Args:
            store: made with this ``Resizing``.
            keys: of the pictures.
            device: where they are wanted.
        """
        pixels = torch.from_numpy(store.batch(keys)).to(device).permute(0, 3, 1, 2)
        return self.normalised(pixels)

    def normalised(self, pixels: Tensor) -> Tensor:
        """Scale and normalise 8-bit pixels, ``(…, 3, h, w)``."""
        values = pixels.to(torch.float32)
        if self.processor.do_rescale:
            values = values * float(self.processor.rescale_factor)
        if self.processor.do_normalize:
            mean = torch.tensor(self.processor.image_mean, dtype=torch.float32, device=pixels.device)
            std = torch.tensor(self.processor.image_std, dtype=torch.float32, device=pixels.device)
            values = (values - mean.view(3, 1, 1)) / std.view(3, 1, 1)
        return values.contiguous()
