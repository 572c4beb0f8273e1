"""BLIP for questions: pictures are encoded once, questions look at them, answers look at questions.

Source: Li et al., BLIP, ICML 2022, by ``BlipForQuestionAnswering`` of ``transformers``, whose three towers are called
one by one here, because its own ``forward`` and ``generate`` begin answers with different tokens and let answers
look at the padding of questions (seed_systems A8.1 to A8.3).

All questions about a picture lie in one row, and so do all their answers (``packing``): the keys and values of the
picture's tokens, most of what a question costs, are computed once a picture, in training as in answering.

Letters: ``m`` pictures, ``n`` image tokens, ``d`` feature size, ``u`` distinct questions, ``w`` width of a row,
``b`` answers, ``k`` learned tokens, ``v`` vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from radvqa.errors import WeightsError
from radvqa.models import heard, parts
from radvqa.models.generator_net import IGNORED, Lesson, Written
from radvqa.models.packing import NOBODY, Packed, additive, pack, same


@dataclass(frozen=True)
class Asked:
    """Questions that have looked at their pictures.

    Attributes:
        states: of the questions' tokens, a row for each picture; ``(m, w, d)``.
        owner: which question each state belongs to; ``(m, w)``.
        shown: row of each question; ``(u,)``.
    """

    states: Tensor
    owner: Tensor
    shown: Tensor


class BlipReader:
    """Reads pictures and questions, scores answers and writes them.

    Args:
        model: ``BlipForQuestionAnswering``, whether or not ``peft`` wraps it.
        name: of the checkpoint, for messages.

    Raises:
        WeightsError: when the configuration names no token that begins or ends an answer.
    """

    def __init__(self, model: Any, name: str) -> None:
        self._model = model
        _pass_masks_on(parts.inner(model))
        text = parts.inner(model).config.text_config
        known = range(text.vocab_size)
        for key in ("bos_token_id", "sep_token_id", "pad_token_id"):
            if getattr(text, key) not in known:
                raise WeightsError(
                    f"{name}: text_config.{key} in config.json is {getattr(text, key)}; answers need a token below "
                    f"{text.vocab_size} there."
                )
        self.begin, self.end, self.filler = int(text.bos_token_id), int(text.sep_token_id), int(text.pad_token_id)
        self.longest = int(text.max_position_embeddings)

    @property
    def device(self) -> torch.device:
        """Where the model lives."""
        device: torch.device = parts.inner(self._model).device
        return device

    def look(self, pixels: Tensor) -> Tensor:
        """Encode pictures ``(m, 3, h, w)`` → ``(m, n, d)``."""
        states: Tensor = parts.inner(self._model).vision_model(pixel_values=pixels).last_hidden_state
        return states

    def ask(self, images: Tensor, questions: Sequence[Sequence[int]], shown: Tensor) -> Asked:
        """Let questions look at pictures.

        Args:
            images: encoded pictures, ``(m, n, d)``.
            questions: tokens of ``u`` questions.
            shown: the picture of each, ``(u,)``.
        """
        packed = pack(questions, shown.tolist(), len(images), self.filler, images.device)
        states = parts.inner(self._model).text_encoder(
            input_ids=packed.tokens,
            position_ids=packed.positions,
            attention_mask=additive(same(packed.owner, packed.owner)),
            encoder_hidden_states=images,
        )
        return Asked(states.last_hidden_state, packed.owner, shown)

    def score(self, asked: Asked, index: Tensor, lesson: Lesson) -> Tensor:
        """Score what follows each learned position of some answers, ``(k, v)``; the head sees no other position.

        Args:
            asked: questions.
            index: the question of each answer, ``(b,)``.
            lesson: of the answers.
        """
        learned = lesson.targets != IGNORED
        read = lesson.real | learned
        texts = [tokens[kept].tolist() for tokens, kept in zip(lesson.inputs.cpu(), read.cpu(), strict=True)]
        packed = pack(texts, asked.shown[index].tolist(), len(asked.states), self.filler, asked.states.device)
        earlier = packed.positions[:, :, None] >= packed.positions[:, None, :]
        states = parts.inner(self._model).text_decoder.bert(
            input_ids=packed.tokens,
            position_ids=packed.positions,
            attention_mask=additive(same(packed.owner, packed.owner) & earlier),
            encoder_hidden_states=asked.states,
            encoder_attention_mask=additive(same(_questions(packed, index), asked.owner)),
            is_decoder=True,
            use_cache=False,
        )
        told = states.last_hidden_state.flatten(0, 1)[packed.places]
        return self._head(told[learned[read]])

    def write(self, asked: Asked, index: Tensor, limit: int) -> list[Written]:
        """Write the likeliest token again and again until every answer has ended.

        Args:
            asked: questions.
            index: the question of each answer, ``(b,)``.
            limit: of an answer, in tokens.
        """
        decoder = parts.inner(self._model).text_decoder.bert
        begun = pack(
            [[self.begin]] * len(index), asked.shown[index].tolist(), len(asked.states), self.filler, index.device
        )
        looks = additive(same(_questions(begun, index), asked.owner))
        tokens, seen, cache = begun.tokens, begun.owner, None
        chosen: list[Tensor] = []
        total = torch.zeros(len(index), device=index.device)
        ended = torch.zeros(len(index), dtype=torch.bool, device=index.device)
        for step in range(limit + 1):  # the last time only to see whether they would have ended here
            read = decoder(
                input_ids=tokens,
                position_ids=torch.full_like(tokens, step),
                attention_mask=additive(same(begun.owner, seen)),
                encoder_hidden_states=asked.states,
                encoder_attention_mask=looks,
                past_key_values=cache,
                is_decoder=True,
                use_cache=True,
            )
            scores = self._head(read.last_hidden_state.flatten(0, 1)[begun.places]).float().log_softmax(-1)
            likelihood, best = scores.max(-1)
            if step < limit or bool((best == self.end).all()):  # at the limit the end alone counts
                heard.told(scores)
            counts = ~ended if step < limit else ~ended & (best == self.end)
            total = total + torch.where(counts, likelihood, 0.0)
            chosen.append(torch.where(ended, self.end, best))
            ended = ended | (best == self.end)
            if bool(ended.all()):
                break
            tokens = begun.tokens.flatten().index_copy(0, begun.places, chosen[-1]).view_as(tokens)
            seen, cache = torch.cat([seen, begun.owner], 1), read.past_key_values
        rows = torch.stack(chosen[:limit], 1).tolist()
        return [
            Written(tuple(row[: row.index(self.end)] if self.end in row else row), log_probability, self.begin, whole)
            for row, log_probability, whole in zip(rows, total.tolist(), ended.tolist(), strict=True)
        ]

    def _head(self, states: Tensor) -> Tensor:
        logits: Tensor = parts.inner(self._model).text_decoder.cls(states)
        return logits


def _pass_masks_on(model: Any) -> None:
    """Let the mask of cross-attention reach it.

    In ``transformers`` 5 a block hands that mask over as the one of self-attention, and it is dropped: answers look
    at the padding of questions even where a mask is given. A release that hands it over rightly is left as it is.
    """

    def pass_on(_: Any, args: Any, values: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        if values.get("encoder_attention_mask") is None:
            values = {**values, "encoder_attention_mask": values.get("attention_mask")}
        return args, values

    for name, module in model.named_modules():
        if name.endswith(".crossattention.self"):
            module.register_forward_pre_hook(pass_on, with_kwargs=True)


def _questions(answers: Packed, index: Tensor) -> Tensor:
    """Which question each token of the answers looks at, ``(m, w)``."""
    found = index[answers.owner.clamp(min=0)]
    return torch.where(answers.owner == NOBODY, NOBODY, found)
