"""Qwen2-VL and Qwen2.5-VL, opened: as many image tokens as the picture's size asks for.

Carriers are the image tokens after the merger; the vision tower's own attention, over packed windows, is not traced.
"""

from functools import cached_property

import torch
from torch import Tensor, nn

from radvqa.explaining.inside.classifying import widened
from radvqa.explaining.inside.language import LanguageMixing
from radvqa.explaining.inside.opened import Features, Mixing
from radvqa.explaining.inside.writing import OpenedDecoder
from radvqa.models.decoder import Read


class OpenedQwen2Vl(OpenedDecoder):
    """Vision tower with dynamic resolution, language model."""

    @property
    def _grid(self) -> tuple[int, int]:
        grid: tuple[int, int] = self.net.pictures.grid(self.net.store, self.inputs.keys[0])
        return grid

    def read(self, values: Tensor) -> Read:
        """Cut pixels into patches, see, and read."""
        pictures = self.net.pictures
        pixels = pictures.processing.normalised(widened(self.module, values).permute(0, 3, 1, 2))
        merge = int(pictures.processor.merge_size)
        rows, columns = self._grid
        sizes = torch.tensor([(1, merge * rows, merge * columns)] * len(values), device=pixels.device)
        cut = torch.cat([pictures.cut(one) for one in pixels])
        images = self._passed(torch.stack(list(self.net.inner.model.get_image_features(cut, sizes).pooler_output)))
        read: Read = self.net.read([self.inputs.keys[0]] * len(values), images.flatten(0, 1))
        return read

    @property
    def prompt(self) -> list[int]:
        """After the picture."""
        return list(self.inputs.prompts[0])

    @cached_property
    def _passed(self) -> nn.Identity:
        """Image tokens of all copies pass here, in rows; inside the model they are packed, or cut into windows."""
        return nn.Identity()

    @property
    def features(self) -> Features:
        """The image tokens that the language model reads."""
        return Features(self._passed, "output", self._grid)

    def mixing(self) -> Mixing:
        """The language model's layers."""
        return LanguageMixing(self.laid_out, self._grid)


OPEN = OpenedQwen2Vl
