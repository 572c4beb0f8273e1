"""A query transformer whose queries read the question before they look at the picture.

Source: InstructBLIP (Dai et al., NeurIPS 2023) gives the question to BLIP-2's query transformer. Here the question is
not another row of the self-attention: its token states come from a frozen text encoder, computed once for each
distinct question, and the queries attend to them. Keys and values of a picture's patches are computed once a picture.

Letters: ``m`` distinct pictures, ``n`` patches, ``d`` their size, ``b`` questions, ``l`` tokens of a question, ``t``
their size, ``q`` queries, ``s`` size of the hidden states, ``h`` size of the language model.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from radvqa.models import places


@dataclass(frozen=True)
class Sizes:
    """Of a query transformer that reads questions.

    Attributes:
        queries: image tokens that come out, ``q``.
        layers: blocks.
        heads: of every attention.
        hidden: ``s``.
        patches: along a side of the picture; ``n`` is its square.
        patch: ``d``.
        question: ``t``.
        token: ``h``.
        dropout: in the blocks.
    """

    queries: int
    layers: int
    heads: int
    hidden: int
    patches: int
    patch: int
    question: int
    token: int
    dropout: float


class QuestionQueries(nn.Module):
    """Learned queries that read a question, then look at a picture, layer after layer.

    Args:
        sizes: of everything.

    Attributes:
        tokens: image tokens that come out, ``q``.
    """

    where: Tensor

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.tokens = sizes.queries
        self.register_buffer("where", places.waves(sizes.patches), persistent=False)
        self.normalise = nn.LayerNorm(sizes.patch)
        self.queries = nn.Parameter(torch.randn(1, sizes.queries, sizes.hidden) * 0.02)
        self.read = nn.Sequential(
            nn.LayerNorm(sizes.question), nn.Dropout(sizes.dropout), nn.Linear(sizes.question, sizes.hidden)
        )
        self.blocks = nn.ModuleList(_Block(sizes) for _ in range(sizes.layers))
        self.last = nn.LayerNorm(sizes.hidden)
        self.project = nn.Linear(sizes.hidden, sizes.token)

    def forward(self, patches: Tensor, index: Tensor, words: Tensor, real: Tensor) -> Tensor:
        """Look at pictures as questions ask.

        Args:
            patches: of the distinct pictures, ``(m, n, d)``.
            index: which picture each question is about, ``(b,)``.
            words: token states of the questions, ``(b, l, t)``.
            real: False on padding, ``(b, l)``.

        Returns:
            Image tokens, ``(b, q, h)``.
        """
        laid_out = torch.cat([self.normalise(patches), self.where.expand(len(patches), -1, -1)], 2)
        states = self.queries.expand(len(index), -1, -1)
        question = self.read(words)
        groups = Groups.of(index, len(patches))
        for block in self.blocks:
            states = block(states, question, real, laid_out, groups)
        tokens: Tensor = self.project(self.last(states))
        return tokens


@dataclass(frozen=True)
class Groups:
    """Questions laid out picture by picture, so that keys and values need not be copied for each question.

    Attributes:
        place: of each question among ``pictures · most`` places, ``(b,)``.
        pictures: number of pictures, ``m``.
        most: questions about one picture; places beyond a picture's own questions stay empty.
    """

    place: Tensor
    pictures: int
    most: int

    @classmethod
    def of(cls, index: Tensor, pictures: int) -> "Groups":
        """Lay out questions by the picture that each is about, ``(b,)``."""
        counts = torch.bincount(index, minlength=pictures)
        order = torch.argsort(index, stable=True)
        first = counts.cumsum(0) - counts
        within = torch.empty_like(index)
        within[order] = torch.arange(len(index), device=index.device) - first[index[order]]
        most = int(counts.max())
        return cls(index * most + within, pictures, most)

    def together(self, states: Tensor) -> Tensor:
        """All queries about a picture side by side: ``(b, q, s)`` → ``(m, most · q, s)``."""
        laid = states.new_zeros(self.pictures * self.most, *states.shape[1:]).index_copy(0, self.place, states)
        return laid.view(self.pictures, self.most * states.shape[1], states.shape[2])

    def apart(self, states: Tensor, queries: int) -> Tensor:
        """Undo ``together``."""
        return states.reshape(self.pictures * self.most, queries, states.shape[2])[self.place]


class _Block(nn.Module):
    """Queries attend to one another, to the question, to the picture, and pass a feed-forward net."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        hidden, heads = sizes.hidden, sizes.heads
        self.among = _Attention(hidden, hidden, heads)
        self.reading = _Attention(hidden, hidden, heads)
        self.looking = _Attention(hidden, sizes.patch + places.WIDTH, heads)
        self.normals = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(4))
        self.feed = nn.Sequential(
            nn.Linear(hidden, 4 * hidden), nn.GELU(), nn.Dropout(sizes.dropout), nn.Linear(4 * hidden, hidden)
        )
        self.drop = nn.Dropout(sizes.dropout)

    def forward(self, states: Tensor, question: Tensor, real: Tensor, patches: Tensor, groups: Groups) -> Tensor:
        normal = self.normals[0](states)
        states = states + self.drop(self.among(normal, *self.among.remembered(normal)))
        read = self.reading.remembered(question)
        states = states + self.drop(self.reading(self.normals[1](states), *read, real))
        asking = groups.together(self.normals[2](states))
        seen = groups.apart(self.looking(asking, *self.looking.remembered(patches)), states.shape[1])
        states = states + self.drop(seen)
        fed: Tensor = states + self.drop(self.feed(self.normals[3](states)))
        return fed


class _Attention(nn.Module):
    """Multi-head attention (Vaswani et al., NeurIPS 2017) whose keys and values can be shared by many questions."""

    def __init__(self, hidden: int, memory: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(hidden, hidden)
        self.memory = nn.Linear(memory, 2 * hidden)
        self.out = nn.Linear(hidden, hidden)

    def remembered(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values, each ``(m, heads, n, s / heads)``."""
        keys, values = self.memory(memory).chunk(2, -1)
        return self._split(keys), self._split(values)

    def forward(self, states: Tensor, keys: Tensor, values: Tensor, real: Tensor | None = None) -> Tensor:
        """Attend from ``(b, q, s)``; keys that are not real are not seen."""
        mask = None if real is None else real[:, None, None]
        looked = _attended(self._split(self.query(states)), keys, values, mask)
        out: Tensor = self.out(looked.transpose(1, 2).flatten(2))
        return out

    def _split(self, states: Tensor) -> Tensor:
        rows, length, hidden = states.shape
        return states.view(rows, length, self.heads, hidden // self.heads).transpose(1, 2)


def _attended(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """Scaled dot-product attention; on CPUs as plain products, because torch's fused one learns slowly there."""
    if queries.device.type != "cpu":
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    scores = queries @ keys.transpose(2, 3) / queries.shape[3] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    attended: Tensor = scores.softmax(-1).to(values.dtype) @ values
    return attended
