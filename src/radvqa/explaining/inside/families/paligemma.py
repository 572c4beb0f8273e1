"""PaliGemma, opened: a prefix in which picture and question see each other."""

from collections.abc import Iterator

import torch
from torch import Tensor

from radvqa.explaining.attention.step import Step
from radvqa.explaining.inside.classifying import widened
from radvqa.explaining.inside.language import LanguageMixing
from radvqa.explaining.inside.opened import Features, Mixing, last_block
from radvqa.explaining.inside.vision import VisionSteps, square
from radvqa.explaining.inside.writing import OpenedDecoder, Prompted
from radvqa.models import parts
from radvqa.models.decoder import Read


class OpenedPaliGemma(OpenedDecoder):
    """SigLIP, projector, Gemma."""

    def read(self, values: Tensor) -> Read:
        """See, and read picture and question together."""
        pixels = self.net.processing.normalised(widened(self.module, values).permute(0, 3, 1, 2))
        seen = parts.inner(self.net.wrapped).model.vision_tower(pixels).last_hidden_state
        every = torch.arange(len(values), device=pixels.device)
        read: Read = self.net.read(self.inputs, self.row.expand(len(values)), seen, every)
        return read

    @property
    def prompt(self) -> list[int]:
        """Empty: the prefix holds it."""
        return []

    @property
    def _grid(self) -> tuple[int, int]:
        return square(int(self.net.image_tokens))

    @property
    def features(self) -> Features | None:
        """What goes into SigLIP's last block."""
        block = last_block(self.net.parts["vision"])
        return None if block is None else Features(block, "input", self._grid)

    def mixing(self) -> Mixing:
        """SigLIP's layers, then Gemma's."""
        return _PaliGemmaMixing(self.laid_out, self._grid)


class _PaliGemmaMixing(LanguageMixing):
    def __init__(self, laid_out: Prompted, grid: tuple[int, int]) -> None:
        super().__init__(laid_out, grid)
        self._vision = VisionSteps(self.carriers.patches, torch.empty(0, dtype=torch.long))

    def steps(self, name: str, weights: Tensor) -> Iterator[Step]:
        """A layer of either tower."""
        if "vision_tower" in name:
            yield from self._vision.steps(name, weights)
        else:
            yield from super().steps(name, weights)


OPEN = OpenedPaliGemma
