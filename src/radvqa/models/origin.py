"""What a generative model begins from besides its weights: the answers that training holds, a seed, a device."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from radvqa import text
from radvqa.models import hub
from radvqa.models.family import Context
from radvqa.models.vocabulary import AnswerVocabulary, WordVocabulary
from radvqa.sample import Sample


@dataclass(frozen=True)
class Origin:
    """What a model is made from.

    Attributes:
        known: training answers.
        closed: those of closed training questions, most frequent first.
        seed: of initial weights.
        device: where the model shall live.
        organs: labels whose places are read off the picture; none in models that read none.
        words: of the training questions, in models that read them by themselves; None in others.
    """

    known: AnswerVocabulary
    closed: tuple[str, ...]
    seed: int
    device: torch.device
    organs: tuple[str, ...] = ()
    words: WordVocabulary | None = None

    @classmethod
    def of_training(cls, context: Context) -> "Origin":
        """Count the answers of the training samples."""
        known, closed = answers_of(context.training)
        return cls(known, tuple(closed), context.seed, context.device)

    @classmethod
    def of_spec(cls, spec: Mapping[str, Any], device: torch.device) -> "Origin":
        """Take up what a checkpoint says.

        Raises:
            WeightsError: when the published weights found now are other ones than at training.
        """
        for name, digest in spec["digests"].items():
            hub.check_digest(name, digest)
        known = AnswerVocabulary.from_plain(spec["known"])
        words = WordVocabulary.from_plain(spec["words"]) if "words" in spec else None
        return cls(known, tuple(spec["closed"]), spec["seed"], device, tuple(spec.get("organs", ())), words)

    def plain(self) -> dict[str, Any]:
        """Plain values for the spec."""
        plain: dict[str, Any] = {"known": asdict(self.known), "closed": list(self.closed), "seed": self.seed}
        plain |= {"organs": list(self.organs)} if self.organs else {}
        return {**plain, "words": asdict(self.words)} if self.words else plain


def answers_of(training: Sequence[Sample]) -> tuple[AnswerVocabulary, list[str]]:
    """Count the training answers, and list those of closed questions, most frequent first.

    A caption answers no question, so that it is no answer to choose; where nothing was asked, captions count.
    """
    training = [sample for sample in training if sample.task != "caption"] or training
    normaliser = text.normaliser_for(sample.language for sample in training)
    known = AnswerVocabulary.count([sample.answer for sample in training], normaliser)
    closed = AnswerVocabulary.count([s.answer for s in training if s.answer_type == "CLOSED"], normaliser)
    return known, list(closed.spellings)
