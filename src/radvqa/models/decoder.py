"""A causal language model that reads a picture once and then any number of questions about it.

Pictures come first and their tokens see nothing of what follows, so their keys and values are the same for every
question: they are computed once a picture and shared, in training (with gradients) as in answering. That is exact.
Everything is padded by masks and explicit positions, never by a tokeniser, so padding changes nothing.

Letters: ``m`` distinct pictures (prefixes), ``p`` prefix positions, ``b`` questions, ``l`` positions after the
prefix, ``d`` feature size, ``v`` vocabulary, ``k`` learned tokens.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from radvqa.errors import DataError
from radvqa.models import heard
from radvqa.models.generator_net import IGNORED, Lesson, Written
from radvqa.models.padding import pad

_FILLER = 0  # any token; masked everywhere


@dataclass(frozen=True)
class Prefix:
    """What is read before the questions.

    Attributes:
        tokens: ``(m, p)``; ``IMAGE_TOKEN`` where an embedding comes from the picture. For lessons.
        embeddings: ``(m, p, d)``.
        real: False on padding, which stands at the end; ``(m, p)``.
        positions: of every token, ``(m, p)``, or ``(3, m, p)`` for models that count time, rows and columns.
        next_position: of the first token after it, ``(m,)``.
        bidirectional: every prefix token sees the whole prefix (prefix language models).
    """

    tokens: Tensor
    embeddings: Tensor
    real: Tensor
    positions: Tensor
    next_position: Tensor
    bidirectional: bool = False

    @classmethod
    def plain(cls, tokens: Tensor, embeddings: Tensor, real: Tensor, *, first: int = 0) -> "Prefix":
        """A causal prefix whose positions count its real tokens."""
        counted = real.long().cumsum(1)
        return cls(tokens, embeddings, real, (counted - 1 + first).clamp(min=first), counted[:, -1] + first)


@dataclass(frozen=True)
class Read:
    """A prefix that has been read: keys and values of every layer, and the states of its positions ``(m, p, d)``."""

    prefix: Prefix
    cache: Any
    states: Tensor


class CausalDecoder:
    """Reads prefixes, scores what follows, and writes.

    Args:
        model: the decoder of a ``transformers`` model (``LlamaModel``, ``BloomModel`` …), without its head.
        embed: tokens → embeddings.
        head: states ``(…, d)`` → logits ``(…, v)``.
        ends: tokens that end an answer.
    """

    def __init__(
        self, model: nn.Module, embed: Callable[[Tensor], Tensor], head: Callable[[Tensor], Tensor], ends: Sequence[int]
    ) -> None:
        self.model, self.embed, self.head, self.ends = model, embed, head, tuple(ends)
        self._takes_positions = "position_ids" in inspect.signature(model.forward).parameters

    def read(self, prefix: Prefix) -> Read:
        """Compute keys and values of prefixes; gradients flow where they are enabled."""
        cache = self._cache(prefix)
        mask: Any = prefix.real.long()
        if prefix.bidirectional:
            mask = self._whole(prefix)
        states = self._forward(prefix.embeddings, mask, prefix.positions, cache)
        return Read(prefix, cache, states)

    def follow(self, read: Read, index: Tensor, tokens: Tensor, real: Tensor) -> tuple[Tensor, Any, Tensor]:
        """Read tokens after prefixes.

        Args:
            read: prefixes.
            index: which prefix each question follows, ``(b,)``.
            tokens: ``(b, l)``.
            real: False on padding, ``(b, l)``.

        Returns:
            states ``(b, l, d)``, the grown cache, and the next position of each question ``(b,)``.
        """
        cache = self._selected(read, index)
        counted = real.long().cumsum(1)
        first = read.prefix.next_position[index]
        positions = (first[:, None] + counted - 1).clamp(min=0)
        mask = self._mask(read.prefix, torch.cat([read.prefix.real[index], real], 1), real.shape[1])
        states = self._forward(self.embed(tokens), mask, self._axes(positions, read.prefix), cache)
        return states, cache, first + counted[:, -1]

    def lesson(
        self, prefix: Prefix, index: Tensor, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]
    ) -> Lesson:
        """Lay out prefix, prompt and answer of some questions; only the answer, with its end, is learned.

        Args:
            prefix: of the pictures.
            index: which prefix each question follows, ``(b,)``.
            prompts: tokens after the prefix; may be empty when the prefix holds the question.
            answers: tokens of the answers, the end included.
        """
        device = prefix.real.device
        asked, asked_real = pad(prompts, _FILLER, left=True)
        given, given_real = pad([answer[:-1] for answer in answers], _FILLER)
        targets, _ = pad(answers, IGNORED)
        inputs = torch.cat([prefix.tokens[index].cpu(), asked, given], 1)
        real = torch.cat([prefix.real[index].cpu(), asked_real, given_real], 1)
        learned = torch.full_like(inputs, IGNORED)
        start = inputs.shape[1] - given.shape[1] - 1
        if asked.shape[1]:
            learned[:, start:] = targets
        else:  # the answer is told by the last real token of each prefix
            learned[:, start + 1 :] = targets[:, 1:]
            last = prefix.real[index].cpu().long().cumsum(1).argmax(1)
            learned[torch.arange(len(answers)), last] = targets[:, 0]
        return Lesson(inputs.to(device), learned.to(device), real.to(device))

    def logits(self, read: Read, index: Tensor, lesson: Lesson) -> Tensor:
        """Score what follows each learned position, ``(k, v)``; the head sees no other position."""
        width = read.prefix.real.shape[1]
        learned = lesson.targets != IGNORED
        tokens, real = lesson.inputs[:, width:], lesson.real[:, width:]
        if not read.prefix.bidirectional:
            return self.head(self.follow(read, index, tokens, real)[0][learned[:, width:]])
        told = read.states[index]
        if tokens.shape[1]:
            told = torch.cat([told, self.follow(read, index, tokens, real)[0]], 1)
        return self.head(told[learned])

    def write(self, read: Read, index: Tensor, prompts: Sequence[Sequence[int]], limit: int) -> list[Written]:
        """Write the likeliest token again and again until every answer has ended.

        Args:
            read: prefixes.
            index: which prefix each question follows, ``(b,)``.
            prompts: tokens after the prefix.
            limit: of an answer, in tokens.
        """
        device = read.prefix.real.device
        asked, asked_real = (part.to(device) for part in pad(prompts, _FILLER, left=True))
        if asked.shape[1]:
            states, cache, position = self.follow(read, index, asked, asked_real)
            last, before = states[:, -1], asked[:, -1]
        else:
            end = read.prefix.real.long().cumsum(1).argmax(1)
            rows = torch.arange(len(end), device=device)
            last, before = read.states[rows, end][index], read.prefix.tokens[rows, end][index]
            cache, position = self._selected(read, index), read.prefix.next_position[index]
        seen = torch.cat([read.prefix.real[index], asked_real], 1)
        ends = torch.tensor(self.ends, device=device)
        done = torch.zeros(len(index), dtype=torch.bool, device=device)
        total = torch.zeros(len(index), device=device)
        written: list[Tensor] = []
        for step in range(limit + 1):
            scores = self.head(last).float().log_softmax(-1)
            if step == limit:  # only whether they would have ended here
                ended = done | torch.isin(scores.argmax(-1), ends)
                if bool(ended.all()):  # the end counts
                    heard.told(scores)
                total = total + torch.where(done | ~ended, 0.0, scores.amax(-1))
                break
            heard.told(scores)
            chosen = scores.argmax(-1)
            total = total + torch.where(done, 0.0, scores.amax(-1))
            written.append(torch.where(done, ends[0], chosen))
            done = done | torch.isin(chosen, ends)
            ended = done
            if bool(done.all()):
                break
            seen = torch.cat([seen, torch.ones_like(seen[:, :1])], 1)
            positions = self._axes(position[:, None], read.prefix)
            mask = self._mask(read.prefix, seen, 1)
            last = self._forward(self.embed(written[-1][:, None]), mask, positions, cache)[:, -1]
            position = position + 1
        return _cut(torch.stack(written, 1), total, before, ended, self.ends)

    def _forward(self, embeddings: Tensor, mask: Any, positions: Tensor, cache: Any) -> Tensor:
        placed = {"position_ids": positions} if self._takes_positions else {}
        told: Tensor = self.model(
            inputs_embeds=embeddings, attention_mask=mask, past_key_values=cache, use_cache=True, **placed
        ).last_hidden_state
        return told

    def _cache(self, prefix: Prefix) -> Any:
        """An empty cache; after a prefix that is read both ways the masks say where a window ends, not the cache."""
        from transformers import DynamicCache

        return DynamicCache() if prefix.bidirectional else DynamicCache(config=self.model.config)

    def _selected(self, read: Read, index: Tensor) -> Any:
        """A cache that holds a copy of the chosen rows; the one that was read stays as it is."""
        chosen = self._cache(read.prefix)
        for place, layer in enumerate(read.cache.layers):
            chosen.update(layer.keys[index], layer.values[index], place)
        return chosen

    def _axes(self, positions: Tensor, prefix: Prefix) -> Tensor:
        return positions.expand(3, *positions.shape) if prefix.positions.ndim == 3 else positions

    def _whole(self, prefix: Prefix) -> Any:
        """Every position of a prefix sees all of it but padding, whatever the window of a layer."""
        seen = prefix.real[:, None].expand(-1, prefix.real.shape[1], -1)
        return self._additive(seen, torch.zeros_like(seen, dtype=torch.long), prefix.embeddings.dtype)

    def _mask(self, prefix: Prefix, real: Tensor, width: int) -> Any:
        """What the last ``width`` positions see: themselves and what came before them, never padding."""
        if not prefix.bidirectional:
            self._check_window(real.shape[1])
            return real.long()
        places = torch.arange(real.shape[1], device=real.device)
        seen = real[:, None] & (places <= places[len(places) - width :, None])
        counted = real.long().cumsum(1)  # windows are counted in real tokens, so padding does not move them
        distance = counted[:, len(places) - width :, None] - counted[:, None]
        return self._additive(seen, distance, prefix.embeddings.dtype)

    def _check_window(self, tokens: int) -> None:
        """Refuse what a sliding window would forget: shared keys and values know no window."""
        window = getattr(self.model.config, "sliding_window", None)
        if window is not None and tokens > window:
            raise DataError(
                f"Picture, question and answer are {tokens} tokens together, but the language model's sliding window "
                f"holds {window}; make fewer image tokens or shorten the longest questions."
            )

    def _additive(self, seen: Tensor, distance: Tensor, dtype: torch.dtype) -> Any:
        """Masks ``(b, 1, l, l)`` for a model with one kind of layer, or by kind where some have a window."""
        config: Any = self.model.config
        window = getattr(config, "sliding_window", None)

        def hidden(visible: Tensor) -> Tensor:
            mask = torch.zeros(visible.shape, dtype=dtype, device=visible.device)
            return mask.masked_fill(~visible, torch.finfo(dtype).min)[:, None]

        if window is None:
            return hidden(seen)
        return {"full_attention": hidden(seen), "sliding_attention": hidden(seen & (distance < window))}


def _cut(tokens: Tensor, total: Tensor, before: Tensor, ended: Tensor, ends: Sequence[int]) -> list[Written]:
    """Cut each answer before the token that ends it."""
    found = []
    for row, log_probability, after, whole in zip(
        tokens.tolist(), total.tolist(), before.tolist(), ended.tolist(), strict=True
    ):
        end = next((place for place, token in enumerate(row) if token in ends), len(row))
        found.append(Written(tuple(row[:end]), log_probability, after, whole))
    return found
