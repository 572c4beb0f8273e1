"""A sight in front of a language model, opened: patches, queries and image tokens traced to the answer."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from radvqa.explaining.attention.step import Carriers, Step, renewed
from radvqa.explaining.inside.axis import Axis
from radvqa.explaining.inside.classifying import widened
from radvqa.explaining.inside.opened import Features, Mixing
from radvqa.explaining.inside.seen import seen_from
from radvqa.explaining.inside.vision import VisionSteps, patches_of, square, tower_features
from radvqa.explaining.inside.writing import DecoderSteps, OpenedDecoder, Prompted
from radvqa.models.decoder import Read
from radvqa.models.families.coattention_llm import CoattentionSight
from radvqa.models.fusion import Projector
from radvqa.models.question_queries import QuestionQueries

_READ = 64  # tokens of the question that queries read, at most; longer questions are traced without them


class OpenedPictureLlm(OpenedDecoder):
    """Encoder, fusion, language model; or, where only the sight has learned to choose, the sight and its choice."""

    @property
    def chooses(self) -> bool:
        """Whether only the sight has learned to choose."""
        return bool(self.net.teaching == "choosing")

    def images(self, values: Tensor) -> Tensor:
        """Image tokens of copies of the picture, ``(b, q, h)``."""
        sight, seen = self.net.sight, self.inputs.seen
        values = widened(self.module, values)
        rows = self.row.expand(len(values))
        images: Tensor
        if isinstance(sight, CoattentionSight):
            patches, picture = seen_from(sight.seeing, values)
            sentences = seen.sentences[seen.questions.rows[rows]] if seen.sentences is not None else None
            told = sight.told
            looked = told.trunk(seen.questions, rows, sentences, patches, picture)
            images = told.project(told.normalise(looked)).view(len(values), told.tokens, -1)
            return images
        patches = sight.vision.tokens(values)[0]
        if sight.organs is not None:
            patches = torch.cat([patches, sight.organs.explained(patches)], 2)
        if isinstance(sight.fusion, QuestionQueries):
            every = torch.arange(len(values), device=patches.device)
            asked = seen.asked.some(seen.questions[seen.prefixes[rows]])
            images = sight.fusion(patches, every, *asked)
            return images
        images = sight.fusion(patches)
        return images

    def read(self, values: Tensor) -> Read:
        """Read image tokens."""
        read: Read = self.net.read(self.images(values))
        return read

    def log_probabilities(self, values: Tensor) -> Tensor:
        """Log-probability of each token of the answer, ``(b, t)``; of the one choice where the model only chooses."""
        if not self.chooses:
            return super().log_probabilities(values)
        scores = self.net.chooser(self.images(values).mean(1)).float()[:, :-1]
        chosen = int(self.model.known.encode([self.said.text])[0])
        told: Tensor = scores.log_softmax(1)[:, chosen : chosen + 1]
        return told

    @property
    def prompt(self) -> list[int]:
        """After the image tokens."""
        return list(self.inputs.prompts[0])

    @property
    def _vision(self) -> Any:
        sight = self.net.sight
        return sight.seeing.vision if isinstance(sight, CoattentionSight) else sight.vision

    @property
    def _side(self) -> int:
        sight = self.net.sight
        options = sight.seeing.options if isinstance(sight, CoattentionSight) else sight.options
        return int(options.image_size)

    @property
    def features(self) -> Features:
        """Of the encoder."""
        return tower_features(self._vision, self._side)

    def mixing(self) -> Mixing:
        """Encoder, fusion and language model on one axis."""
        return _PictureLlmMixing(
            self.net.sight, patches_of(self._vision, self._side), self.laid_out, chooses=self.chooses
        )


class _PictureLlmMixing:
    """Carriers: patches, queries or states, and the decoder's positions; image tokens are what the fusion made.

    Where the projector keeps every patch, a patch itself stands before the language model.
    """

    def __init__(self, sight: Any, patches: int, laid_out: Prompted, *, chooses: bool) -> None:
        axis = Axis()
        self._sight = sight
        shown, before = axis.take(patches), axis.take(8)
        self._vision = VisionSteps(shown, before)
        tokens = int(sight.tokens)
        fusion = None if isinstance(sight, CoattentionSight) else sight.fusion
        same = isinstance(fusion, Projector) and fusion.pooling == 1
        self._images = shown if same else axis.take(tokens)
        self._state = axis.take(1)
        self._reader = axis.take(_READ)
        positions = axis.take(len(laid_out.inputs))
        positions[laid_out.images] = self._images
        self._decoder = DecoderSteps(positions, "language")
        self._pending = fusion is None or (isinstance(fusion, Projector) and not same)
        self._fusion, self._shown, self._hops = fusion, shown, 0
        told = self._images if chooses else positions[laid_out.told]
        self.stack = "fusion" if chooses else "language"
        self.carriers = Carriers(axis.count, shown, positions[laid_out.words], told, square(patches))

    def steps(self, name: str, weights: Tensor) -> Iterator[Step]:
        """A layer of the encoder, of the fusion, or of the language model."""
        if name.startswith("vision."):
            yield from self._vision.steps(name, weights)
        elif name.startswith("fusion"):
            yield from self._fusing(name, weights)
        elif name.startswith("language_model"):
            if self._pending:
                self._pending = False
                yield self._handed_over()
            yield from self._decoder.steps(name, weights)

    def finish(self) -> Iterator[Step]:
        """Layers of a prefix that nothing follows."""
        return self._decoder.finish()

    def _fusing(self, name: str, weights: Tensor) -> Iterator[Step]:
        if weights.ndim == 3:  # a hop of co-attention
            self._hops += 1
            hop = f"hop {self._hops - 1}"
            yield Step(hop, "fusion", weights[0][:, None], self._state, self._shown, captured=weights)
            return
        columns = weights.shape[-1]
        looks = name.endswith("looking") or "crossattention" in name
        reads = name.endswith("reading")
        keys = self._shown if looks else self._reader[:columns] if reads else self._images
        if columns == len(keys) and weights.shape[-2] == len(self._images):
            yield Step(name, "fusion", weights[0], self._images, keys, captured=weights)

    def _handed_over(self) -> Step:
        """Image tokens made of a state, or of squares of patches, without attention."""
        if isinstance(self._fusion, Projector):
            side, pooling = self._fusion.side, self._fusion.pooling
            made = torch.eye(side * side).view(-1, 1, side, side)
            pooled = torch.nn.functional.avg_pool2d(made, pooling).flatten(1)
            return renewed("fusion.pooling", "fusion", pooled.T, self._images, self._shown)
        weights = torch.ones(len(self._images), 1)
        return renewed("fusion.project", "fusion", weights, self._images, self._state)
