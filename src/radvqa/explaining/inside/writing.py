"""Opened language models: what those that write share.

Letters: as in ``opened``; ``q`` image tokens, ``p`` positions before the answer, ``v`` vocabulary.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from radvqa.data.store import Resizing
from radvqa.explaining.attention.step import Step
from radvqa.explaining.inside.classifying import words_of
from radvqa.explaining.inside.opened import Features, Mixing
from radvqa.explaining.said import END, Said
from radvqa.models.decoder import CausalDecoder, Read
from radvqa.models.generator import Generator, GeneratorRows
from radvqa.models.generator_net import IGNORED, IMAGE_TOKEN


class OpenedGenerator(ABC):
    """A model that writes, with one prepared question and what it wrote.

    Where the model ranks candidates instead, the candidate that it chose is what is explained.

    Args:
        model: trained.
        prepared: the question, the only row.
        said: explain this answer instead of the one that is given.
    """

    def __init__(self, model: Generator[Any], prepared: GeneratorRows[Any], said: Said | None = None) -> None:
        self.model, self.prepared, self.net = model, prepared, model.net
        self.inputs = prepared.inputs
        self.row = torch.zeros(1, dtype=torch.long, device=prepared.image_rows.device)
        self.said = self._answered() if said is None else said

    def _answered(self) -> Said:
        answered = self.model.answer(self.prepared, self.row, with_loss=False).answers[0]
        net: Any = self.net
        tokens = tuple(net.answer_tokens(answered.text))
        if not answered.candidates:  # it was written: the very tokens, which no text gives back in all cases
            with torch.no_grad():
                (written,) = net.write(self.inputs, self.row, self.model.answering.tokens)
            tokens = (*written.tokens, tokens[-1]) if written.ended else tuple(written.tokens)
        spelled = list(words_of(net.tokenizer, tokens))
        if tokens[-1] == net.answer_tokens("")[-1]:
            spelled[-1] = END
        return Said(answered.text, tokens, tuple(spelled), answered.confidence)

    @property
    def module(self) -> nn.Module:
        """Everything with parameters."""
        return self.model.module

    @property
    def resizing(self) -> Resizing:
        """Of pictures to what is read."""
        net: Any = self.net
        resizing: Resizing = net.store.preprocessing
        return resizing

    @property
    @abstractmethod
    def asked(self) -> tuple[str, ...]:
        """The question's tokens."""

    @property
    @abstractmethod
    def features(self) -> Features | None:
        """Where the picture's features pass."""

    @abstractmethod
    def mixing(self) -> Mixing | None:
        """How attention mixes."""

    @abstractmethod
    def log_probabilities(self, values: Tensor) -> Tensor:
        """Log-probability of each token of the answer, ``(b, t)``."""


@dataclass(frozen=True)
class Prompted:
    """Where things stand in front of a decoder.

    Attributes:
        inputs: tokens that it reads, ``IMAGE_TOKEN`` where the picture stands, ``(p,)``.
        images: positions of the image tokens.
        words: positions of the question's own tokens; of the whole prompt where it cannot be told apart.
        told: positions after which each token of the answer follows.
        asked: the question's tokens as people read them.
    """

    inputs: Tensor
    images: Tensor
    words: Tensor
    told: Tensor
    asked: tuple[str, ...]


class OpenedDecoder(OpenedGenerator):
    """A causal language model that reads a picture's tokens, a prompt, and the answer."""

    net: Any

    @property
    def decoder(self) -> CausalDecoder:
        """Reads."""
        decoder: CausalDecoder = self.net.decoder
        return decoder

    @abstractmethod
    def read(self, values: Tensor) -> Read:
        """Read copies of the picture, from pixels; every one is a prefix."""

    @property
    @abstractmethod
    def prompt(self) -> list[int]:
        """Tokens between prefix and answer; empty where the prefix holds the question."""

    def log_probabilities(self, values: Tensor) -> Tensor:
        """Log-probability of each token of the answer, ``(b, t)``."""
        read = self.read(values)
        count = len(values)
        index = torch.arange(count, device=read.states.device)
        lesson = self.decoder.lesson(read.prefix, index, [self.prompt] * count, [self.said.tokens] * count)
        logits = self.decoder.logits(read, index, lesson).float().log_softmax(-1)
        targets = lesson.targets[lesson.targets != IGNORED]
        return logits.gather(1, targets[:, None]).view(count, -1)

    @property
    def asked(self) -> tuple[str, ...]:
        """The question's tokens."""
        return self.laid_out.asked

    @cached_property
    def laid_out(self) -> Prompted:
        """Where things stand in front of the decoder."""
        lesson = self.net.lesson(self.inputs, self.row, [list(self.said.tokens)])
        inputs = lesson.inputs[0].cpu()
        told = (lesson.targets[0] != IGNORED).nonzero()[:, 0].cpu()
        images = (inputs == IMAGE_TOKEN).nonzero()[:, 0]
        begin = int(images[-1]) + 1 if len(images) else 0
        after = inputs[begin : int(told[0]) + 1].tolist()
        places = question_places(self.net.tokenizer, after, self.prepared.samples[0].question)
        words = torch.tensor([begin + place for place in places], dtype=torch.long)
        return Prompted(inputs, images, words, told, words_of(self.net.tokenizer, inputs[words].tolist()))


def question_places(tokenizer: Any, tokens: list[int], question: str) -> list[int]:
    """Which tokens of a prompt are the question's own, found by what each adds to the text; all where none is."""
    ends = [len(tokenizer.decode(tokens[: place + 1])) for place in range(len(tokens))]
    whole = tokenizer.decode(tokens)
    start = whole.find(question.strip())
    if start < 0 or not question.strip():
        return list(range(len(tokens)))
    stop = start + len(question.strip())
    begins = [0, *ends[:-1]]
    return [place for place, (begin, end) in enumerate(zip(begins, ends, strict=True)) if begin < stop and end > start]


class DecoderSteps:
    """Self-attention of a causal decoder that reads a prefix first and what follows later, through all its layers.

    What follows looks in each layer at the prefix as it was before that layer. So the layers of the prefix are held
    back until what follows comes to them.

    Args:
        positions: the carrier at each position.
        stack: of the steps.
    """

    def __init__(self, positions: Tensor, stack: str) -> None:
        self.positions, self.stack = positions, stack
        self._held: dict[str, Step] = {}

    def steps(self, name: str, weights: Tensor) -> Iterator[Step]:
        """A layer, ``(b, h, q, k)``, whose last positions look at all so far."""
        if weights.ndim != 4 or weights.shape[-1] > len(self.positions):
            return
        rows, columns = weights.shape[-2:]
        looking, looked_at = self.positions[columns - rows : columns], self.positions[:columns]
        step = Step(name, self.stack, weights[0], looking, looked_at, captured=weights)
        if rows == columns < len(self.positions):
            self._held[name] = step
            return
        yield step
        if name in self._held:
            yield self._held.pop(name)

    def finish(self) -> Iterator[Step]:
        """Layers of a prefix that nothing follows."""
        yield from self._held.values()
        self._held = {}
