"""ViLT, opened: one transformer over words and patches."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from radvqa.explaining.attention.step import Carriers, Step
from radvqa.explaining.inside.axis import Axis
from radvqa.explaining.inside.classifying import OpenedClassifier, widened, words_of
from radvqa.explaining.inside.opened import Features, Mixing
from radvqa.models.families.vilt import image_tokens


class OpenedVilt(OpenedClassifier):
    """Words and patches side by side; the first word's place tells the answer."""

    net: Any

    @property
    def _tokens(self) -> list[int]:
        return list(self.prepared.inputs.questions[0])

    @property
    def asked(self) -> tuple[str, ...]:
        """The question's tokens, marks included."""
        return words_of(self.net.tokenizer, self._tokens)

    @cached_property
    def _grid(self) -> tuple[int, int]:
        height, width = self.net.store.pixels(self.prepared.inputs.keys[0]).shape[:2]
        patch = int(self.net.model.config.patch_size)
        return height // patch, width // patch

    def logits(self, values: Tensor, rows: Tensor) -> Tensor:
        """Score answers from pixels."""
        pixels = self.net.processing.normalised(widened(self.module, values).permute(0, 3, 1, 2))
        patches = image_tokens(self.net.model.vilt.embeddings, pixels)
        tokens = torch.tensor([self._tokens], device=patches.device).expand(len(rows), -1)
        logits: Tensor = self.net.model(
            input_ids=tokens,
            attention_mask=torch.ones_like(tokens),
            image_embeds=patches,
            pixel_mask=torch.ones(patches.shape[:2], dtype=torch.long, device=patches.device),
        ).logits
        return logits

    @property
    def features(self) -> Features:
        """What goes into the last block, of which the patches stand last."""
        return Features(self.net.model.vilt.encoder.layer[-1], "input", self._grid)

    def mixing(self) -> Mixing:
        """Every block is self-attention over words and patches."""
        return _ViltMixing(len(self._tokens), self._grid)


class _ViltMixing:
    stack = "transformer"

    def __init__(self, words: int, grid: tuple[int, int]) -> None:
        axis = Axis()
        asked, first, shown = axis.take(words), axis.take(1), axis.take(grid[0] * grid[1])
        self._all = torch.cat([asked, first, shown])
        self.carriers = Carriers(axis.count, shown, asked, asked[:1], grid)

    def steps(self, name: str, weights: Tensor) -> Iterator[Step]:
        """Self-attention over everything."""
        if weights.ndim == 4 and weights.shape[-1] == len(self._all):
            yield Step(name, self.stack, weights[0], self._all, self._all, captured=weights)

    def finish(self) -> tuple[Step, ...]:
        """Nothing is left."""
        return ()


OPEN = OpenedVilt
