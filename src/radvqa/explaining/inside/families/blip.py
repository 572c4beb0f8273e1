"""BLIP, opened: questions look at the picture, answers look at questions."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from radvqa.explaining.attention.step import Carriers, Step
from radvqa.explaining.inside.axis import Axis
from radvqa.explaining.inside.classifying import widened, words_of
from radvqa.explaining.inside.opened import Features, Mixing, last_block
from radvqa.explaining.inside.vision import VisionSteps
from radvqa.explaining.inside.writing import OpenedGenerator


class OpenedBlip(OpenedGenerator):
    """Vision tower, question encoder, answer decoder."""

    net: Any

    @property
    def _tokens(self) -> list[int]:
        return list(self.inputs.questions[0])

    @property
    def asked(self) -> tuple[str, ...]:
        """The question's tokens, marks included."""
        return words_of(self.net.tokenizer, self._tokens)

    @cached_property
    def _grid(self) -> tuple[int, int]:
        height, width = self.net.store.pixels(self.inputs.keys[0]).shape[:2]
        patch = int(self.net.parts["vision"].config.patch_size)
        return height // patch, width // patch

    def log_probabilities(self, values: Tensor) -> Tensor:
        """Log-probability of each token of the answer, ``(b, t)``."""
        pixels = self.net.processing.normalised(widened(self.module, values).permute(0, 3, 1, 2))
        every = torch.arange(len(values), device=pixels.device)
        asked = self.net.reader.ask(self.net.reader.look(pixels), [self._tokens] * len(values), every)
        tokens = [list(self.said.tokens)] * len(values)
        lesson = self.net.lesson(self.inputs, self.row.expand(len(values)), tokens)
        logits = self.net.reader.score(asked, every, lesson).float().log_softmax(-1)
        targets = torch.tensor(tokens, device=logits.device)
        told: Tensor = logits.view(*targets.shape, -1).gather(2, targets[:, :, None])[:, :, 0]
        return told

    @property
    def features(self) -> Features | None:
        """What goes into the vision tower's last block."""
        block = last_block(self.net.parts["vision"])
        return None if block is None else Features(block, "input", self._grid)

    def mixing(self) -> Mixing:
        """All three towers."""
        return _BlipMixing(len(self._tokens), len(self.said.tokens), self._grid)


class _BlipMixing:
    """Carriers: patches and their class token, words of the question, places of the answer."""

    stack = "answer"

    def __init__(self, words: int, answer: int, grid: tuple[int, int]) -> None:
        axis = Axis()
        first, shown = axis.take(1), axis.take(grid[0] * grid[1])
        self._image = torch.cat([first, shown])
        self._asked, self._answer = axis.take(words), axis.take(answer)
        self._vision = VisionSteps(shown, first)
        self.carriers = Carriers(axis.count, shown, self._asked, self._answer, grid)

    def steps(self, name: str, weights: Tensor) -> Iterator[Step]:
        """A layer of one tower: attention within it, or to the tower before."""
        if "vision_model" in name:
            yield from self._vision.steps(name, weights)
            return
        encoder = "text_encoder" in name
        looking = self._asked if encoder else self._answer
        crosses = "crossattention" in name
        looked_at = (self._image if encoder else self._asked) if crosses else looking
        if tuple(weights.shape[-2:]) == (len(looking), len(looked_at)):
            stack = "question" if encoder else self.stack
            yield Step(name, stack, weights[0], looking, looked_at, captured=weights)

    def finish(self) -> tuple[Step, ...]:
        """Nothing is left."""
        return ()


OPEN = OpenedBlip
