"""The naive way to train and to answer, as published notebooks do it; made to be timed and compared with.

Every question of a batch has a picture of its own: decoded, resized and normalised anew each time, and passed through
the vision tower, whatever else is asked about it. Nothing is kept for the next epoch, and questions are answered one
after another. Weights and arithmetic are those of the model that is compared with, so losses, gradients and answers
must be equal.

Letters: ``b`` questions, ``l`` tokens, ``v`` vocabulary.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from radvqa.data import image
from radvqa.data.dataset import Problems
from radvqa.data.image import Pixels
from radvqa.data.store import ImageStore
from radvqa.errors import RadvqaError
from radvqa.models import features, parts, precision
from radvqa.models.blip_net import BlipReader
from radvqa.models.family import ModelAnswer
from radvqa.models.generator_net import IGNORED
from radvqa.models.padding import pad
from radvqa.sample import Sample


class ForgetfulStore(ImageStore):
    """An image store that knows no picture twice: every sample has one of its own, held until others are added."""

    def add(self, samples: Sequence[Sample], problems: Problems | None = None) -> dict[str, str]:
        """Decode and resize the picture of every sample now; returns a key of its own for each."""
        self._held = {sample.id: self.preprocessing.apply(image.decode(sample.image_path)) for sample in samples}
        return {sample.id: sample.id for sample in samples}

    def pixels(self, key: str) -> Pixels:
        """Return a picture of the samples that were added last."""
        return self._held[key]


class Naive:
    """Any model, with nothing shared between questions.

    It is kinder to the naive way than a notebook: the head sees learned positions only, and no padding is computed
    by the vision tower.

    Args:
        model: as a family built it; its weights are used, not copied.

    Raises:
        RadvqaError: for a model without an image store of its own.
    """

    how = "the family's own modules; every question with its own picture"

    def __init__(self, model: Any) -> None:
        if not isinstance(getattr(getattr(model, "net", None), "store", None), ImageStore):
            raise RadvqaError("This family looks at no pictures of its own, so there is no naive way to compare with.")
        self.model = model

    def loss(self, samples: Sequence[Sample]) -> Tensor:
        """Loss of a batch, in the module's present mode."""
        with self._unshared():
            prepared = self.model.prepare(samples, Problems())
            rows = torch.arange(len(samples), device=prepared.image_rows.device)
            loss: Tensor = self.model.loss(prepared, rows).loss
        return loss

    def answer(self, sample: Sample) -> ModelAnswer:
        """Answer one question alone; the module must be in evaluation mode."""
        with self._unshared():
            prepared = self.model.prepare([sample], Problems())
            row = torch.zeros(1, dtype=torch.long, device=prepared.image_rows.device)
            answer: ModelAnswer = self.model.answer(prepared, row, with_loss=False).answers[0]
        return answer

    @contextmanager
    def _unshared(self) -> Iterator[None]:
        kept = self.model.net.store
        self.model.net.store = ForgetfulStore(kept.preprocessing)
        try:
            with features.nothing_kept():
                yield
        finally:
            self.model.net.store = kept


class NaiveBlip(Naive):
    """BLIP by the plain forward and ``generate`` of ``transformers``, with the masks and first tokens that are right.

    Questions and answers are padded to the longest, and every position of every answer is scored against the whole
    vocabulary, as ``BlipForQuestionAnswering.forward`` does.
    """

    how = "plain transformers: vision_model, text_encoder, text_decoder and generate"

    def loss(self, samples: Sequence[Sample]) -> Tensor:
        """Mean over questions of the mean cross-entropy of their answers' tokens."""
        net, inner, reader = self._net()
        questions, asked = self._on_device(pad([self._question(sample) for sample in samples], reader.filler))
        answers = [net.answer_tokens(sample.answer) for sample in samples]
        read, real = self._on_device(pad([[reader.begin, *answer[:-1]] for answer in answers], reader.filler))
        targets = pad(answers, IGNORED)[0].to(read.device)
        with self._precision():
            states = self._states(samples, questions, asked)
            logits = inner.text_decoder(
                input_ids=read,
                attention_mask=real.long(),
                encoder_hidden_states=states,
                encoder_attention_mask=asked.long(),
                use_cache=False,
            ).logits
        losses = F.cross_entropy(
            logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none"
        ).view_as(targets)
        return (losses.sum(1) / (targets != IGNORED).sum(1)).mean()

    def answer(self, sample: Sample) -> ModelAnswer:
        """Answer one question alone; the module must be in evaluation mode."""
        net, inner, reader = self._net()
        limit = net.options.answering.tokens
        with torch.no_grad(), self._precision():
            written = inner.generate(
                input_ids=torch.tensor([self._question(sample)], device=reader.device),
                pixel_values=self._pixels([sample]),
                max_new_tokens=limit + 1,  # the last one only to see whether the answer would have ended
                do_sample=False,
                output_scores=True,
                return_dict_in_generate=True,
            )
        tokens = written.sequences[0, 1:].tolist()
        if tokens[-1] != reader.end:
            tokens = tokens[:limit]
        told = sum(s[0].float().log_softmax(0)[t].item() for s, t in zip(written.scores, tokens, strict=False))
        text = net.tokenizer.decode(tokens, skip_special_tokens=True).strip()
        confidence = round(min(1.0, math.exp(told)), 6)
        return ModelAnswer(text, confidence, ((text, confidence),))

    def _net(self) -> tuple[Any, Any, BlipReader]:
        net = self.model.net
        return net, parts.inner(net.module.get_submodule("model")), net.reader

    def _question(self, sample: Sample) -> list[int]:
        tokens: list[int] = self.model.net.tokenizer(self.model.net.options.prompts.of(sample))["input_ids"]
        return tokens

    def _states(self, samples: Sequence[Sample], questions: Tensor, asked: Tensor) -> Tensor:
        """States of the questions' tokens, ``(b, l, d)``."""
        _, inner, _ = self._net()
        seen = inner.vision_model(pixel_values=self._pixels(samples)).last_hidden_state
        states: Tensor = inner.text_encoder(
            input_ids=questions,
            attention_mask=asked.long(),
            encoder_hidden_states=seen,
            encoder_attention_mask=torch.ones(seen.shape[:2], dtype=torch.long, device=seen.device),
        ).last_hidden_state
        return states

    def _pixels(self, samples: Sequence[Sample]) -> Tensor:
        """Pictures through the checkpoint's own image processor, ``(b, 3, h, w)``."""
        decoded = [image.decode(sample.image_path) for sample in samples]
        colour = [np.stack([one] * 3, -1) if one.ndim == 2 else one for one in decoded]
        processor = self.model.net.processing.processor
        pixels: Tensor = processor(images=colour, input_data_format="channels_last", return_tensors="pt")[
            "pixel_values"
        ]
        return pixels.to(self.model.net.reader.device)

    def _on_device(self, padded: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        device = self.model.net.reader.device
        return padded[0].to(device), padded[1].to(device)

    def _precision(self) -> torch.autocast:
        return precision.autocast(self.model.options.precision, self.model.net.reader.device.type)


def naive(family: str, model: Any) -> Naive:
    """Return the naive way of a family's model."""
    return NaiveBlip(model) if family == "blip" else Naive(model)
