"""Does the model know the words of a question? A word that it never read may be the one that matters.

A word tells the more, the fewer training questions have it (K. Spärck Jones, A Statistical Interpretation of Term
Specificity, Journal of Documentation 28, 1972): in "Is there a fracture?" the last word asks, the others hardly count.
A question passes when most of what its words tell was read in training.

Letter: ``w`` words that the model knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from radvqa import text

MOST_UNREAD = 0.5
"""Largest share of what a question's words tell that may stand in words never read."""

_TENSOR = "question_gate.weights"


@dataclass(frozen=True)
class QuestionGate:
    """What each word tells.

    Attributes:
        weights: of the words that the model knows, in nats.
        unread: weight of any other word.
        normaliser: name of the normaliser that questions pass first.
    """

    weights: Mapping[str, float]
    unread: float
    normaliser: str

    def unread_words(self, question: str) -> list[str]:
        """Return the words of a question that the model never read, normalised, each once."""
        return [word for word in dict.fromkeys(self._words(question)) if word not in self.weights]

    def unread_share(self, question: str) -> float:
        """Return which share of what the words tell stands in words never read; 1 for a question without words."""
        words = self._words(question)
        told = sum(self.weights.get(word, self.unread) for word in words)
        return sum(self.unread for word in words if word not in self.weights) / told if told else 1.0

    def passes(self, question: str) -> bool:
        """Tell whether a question can be answered."""
        return self.unread_share(question) <= MOST_UNREAD

    def tensors(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the weights in the order of the words, and that of unread ones behind them, ``(w + 1,)``."""
        return {_TENSOR: np.array([*self.weights.values(), self.unread], np.float32)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Any], words: Sequence[str], normaliser: str) -> "QuestionGate":
        """Undo ``tensors``; other names are left aside.

        Args:
            tensors: by name.
            words: that the model knows, in the order that ``fit`` was given.
            normaliser: name of the normaliser.
        """
        *weights, unread = map(float, tensors[_TENSOR])
        return cls(dict(zip(words, weights, strict=True)), unread, normaliser)

    def _words(self, question: str) -> list[str]:
        return text.tokens(text.NORMALISERS[self.normaliser](question))


def fit(questions: Sequence[str], words: Sequence[str], normaliser: str) -> QuestionGate:
    """Count words in training questions.

    Args:
        questions: that the model was trained on, each as often as it was asked.
        words: that the model knows.
        normaliser: name of the normaliser.
    """
    asked = [set(text.tokens(text.NORMALISERS[normaliser](question))) for question in questions]
    # a word in every question would weigh nothing, and a question of such words alone could not be judged
    weights = {word: np.log((len(asked) + 1) / max(1, sum(word in of for of in asked))) for word in words}
    kept = {word: float(np.float32(weight)) for word, weight in weights.items()}
    return QuestionGate(kept, float(np.float32(np.log(len(asked) + 1))), normaliser)
