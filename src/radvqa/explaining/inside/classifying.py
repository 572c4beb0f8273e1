"""Opened classifiers: what all of them share."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from radvqa.data.store import Resizing
from radvqa.explaining.inside.opened import Features, Mixing
from radvqa.explaining.said import Said
from radvqa.models.classifier import AnswerClassifier, ClassifierRows, vote


class OpenedClassifier(ABC):
    """A classifier with one prepared question; its one token is the class that it chose.

    Args:
        model: trained.
        prepared: the question, the only row.
        said: explain this answer instead of the one that is given.
    """

    def __init__(self, model: AnswerClassifier[Any], prepared: ClassifierRows[Any], said: Said | None = None) -> None:
        self.model, self.prepared, self.net = model, prepared, model.net
        self.row = torch.zeros(1, dtype=torch.long, device=prepared.image_rows.device)
        self.said = self._answered() if said is None else said

    def _answered(self) -> Said:
        with torch.no_grad():
            chosen = vote(self.net.logits(self.prepared.inputs, self.row).float())[0]
        answer = int(chosen.argmax())
        text = self.model.answers.spell(answer)
        return Said(text, (answer,), (text,), float(chosen[answer].exp()))

    @property
    def module(self) -> nn.Module:
        """Everything with parameters."""
        return self.model.module

    @property
    def resizing(self) -> Resizing:
        """Of pictures to what is read."""
        resizing: Resizing = self.net.store.preprocessing  # type: ignore[attr-defined]
        return resizing

    @property
    def asked(self) -> tuple[str, ...]:
        """The question's words."""
        return tuple(self.prepared.samples[0].question.split())

    def log_probabilities(self, values: Tensor) -> Tensor:
        """Log-probability of the class, ``(b, 1)``."""
        rows = self.row.expand(len(values))
        return vote(self.logits(values, rows).float())[:, list(self.said.tokens)]

    @abstractmethod
    def logits(self, values: Tensor, rows: Tensor) -> Tensor:
        """Score answers from pixels, as the net's own ``logits`` does from what is stored."""

    @property
    @abstractmethod
    def features(self) -> Features | None:
        """Where the picture's features pass."""

    def mixing(self) -> Mixing | None:
        """None: picture and question are joined as two vectors, so that nothing looks from one to the other."""
        return None

    @property
    def why_no_attention(self) -> str:
        """Why attention methods do not apply."""
        return (
            "this model joins one vector of the picture and one of the question, and no attention looks from one to "
            "the other"
        )


def widened(module: Any, values: Tensor) -> Tensor:
    """Pixels on the device of a module."""
    return values.to(next(module.parameters()).device)


def words_of(tokenizer: Any, tokens: Sequence[int]) -> tuple[str, ...]:
    """Each token as people read it."""
    return tuple(tokenizer.decode([token]).strip() or "␣" for token in tokens)
