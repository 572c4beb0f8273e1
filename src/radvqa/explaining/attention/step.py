"""What attention mixes: one axis for everything that carries states through a model, and steps along it.

A *carrier* is a place whose state is passed on: a patch, a query, a word, a token of the answer. A patch that a linear
projector hands to a language model stays the same carrier; a query that looked at patches is one of its own. So
every architecture is a list of steps on one axis, and rollout, relevancy and flow need to know none of them.

Letters: ``a`` carriers of a model, ``h`` heads, ``q`` carriers that look, ``k`` carriers that are looked at.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Carriers:
    """The axis of one model, one picture, one question and one answer.

    Attributes:
        count: of all carriers, ``a``.
        patches: those of the picture, row by row, ``(n,)``.
        words: those of the question as it is read, ``(l,)``.
        told: those that tell each token of the answer, ``(t,)``: for a language model the place before the token.
        grid: rows and columns of the patches.
    """

    count: int
    patches: Tensor
    words: Tensor
    told: Tensor
    grid: tuple[int, int]


@dataclass(frozen=True)
class Step:
    """One mixing.

    Attributes:
        name: of the layer, by its place in the model.
        stack: which tower it belongs to (``vision``, ``fusion``, ``question``, ``language`` …).
        weights: attention, ``(h, q, k)``; rows sum to 1.
        looking: which carriers the rows are, ``(q,)``.
        looked_at: which carriers the columns are, ``(k,)``.
        residual: whether what looks keeps its own state beside what it sees; False where it is made anew.
        captured: the tensor that the model itself goes on with, by which its output can be differentiated; None where
            no attention was computed.
    """

    name: str
    stack: str
    weights: Tensor
    looking: Tensor
    looked_at: Tensor
    residual: bool = True
    captured: Tensor | None = None

    @property
    def heads(self) -> int:
        """How many heads."""
        return self.weights.shape[0]


def renewed(name: str, stack: str, weights: Tensor, looking: Tensor, looked_at: Tensor) -> Step:
    """A step without attention, in which carriers are made of others: a pooling, a copy.

    Args:
        name: of it.
        stack: it belongs to.
        weights: ``(q, k)``.
        looking: carriers that are made.
        looked_at: what they are made of.
    """
    return Step(name, stack, weights[None], looking, looked_at, residual=False)


def fused(weights: Tensor, fusion: str) -> Tensor:
    """Join heads, ``(h, q, k)`` → ``(q, k)``.

    Raises:
        ValueError: for another fusion than mean, min or max.
    """
    if fusion == "mean":
        return weights.mean(0)
    if fusion == "max":
        return weights.amax(0)
    if fusion == "min":
        return weights.amin(0)
    raise ValueError(f"heads are joined by mean, min or max, not by {fusion!r}")


def started(carriers: Carriers, told: Tensor) -> Tensor:
    """A row over the axis that begins at some carriers, each alike, ``(a,)``."""
    row = torch.zeros(carriers.count, device=told.device)
    return row.index_add(0, told, torch.full((len(told),), 1 / max(1, len(told)), device=told.device))
