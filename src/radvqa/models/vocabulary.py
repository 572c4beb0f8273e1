"""Words of the questions and classes of the answers, counted on training samples only."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from radvqa import text
from radvqa.sample import Sample

PAD, UNKNOWN = 0, 1
UNKNOWN_ANSWER = "<unk>"


@dataclass(frozen=True)
class WordVocabulary:
    """Words by frequency; index 0 pads and 1 stands for words that training did not hold (seed 000).

    Attributes:
        words: in order of their index, from 2 on.
        normaliser: name of the normaliser that questions pass first.
        length: questions are cut to this many words.
    """

    words: tuple[str, ...]
    normaliser: str
    length: int = 32

    @classmethod
    def count(cls, questions: Iterable[str], normaliser: str, length: int) -> "WordVocabulary":
        """Count the words of training questions; equal counts keep the order of first appearance."""
        normalise = text.NORMALISERS[normaliser]
        counts = Counter(word for question in questions for word in text.tokens(normalise(question)))
        return cls(tuple(word for word, _ in counts.most_common()), normaliser, length)

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "WordVocabulary":
        """Undo ``dataclasses.asdict``."""
        return cls(tuple(values["words"]), values["normaliser"], values["length"])

    def __len__(self) -> int:
        return len(self.words) + 2

    def encode(self, questions: Sequence[str]) -> Tensor:
        """Turn questions into indices, ``(questions, length)``, padded with 0; an empty one is an unknown word."""
        normalise = text.NORMALISERS[self.normaliser]
        index = {word: place for place, word in enumerate(self.words, start=2)}
        ids = torch.full((len(questions), self.length), PAD, dtype=torch.long)
        for row, question in enumerate(questions):
            words = text.tokens(normalise(question))[: self.length]
            found = [index.get(word, UNKNOWN) for word in words] or [UNKNOWN]
            ids[row, : len(found)] = torch.tensor(found)
        return ids


@dataclass(frozen=True)
class AnswerVocabulary:
    """Normalised training answers by frequency, and one last class for every other answer (seed 000).

    Attributes:
        answers: in order of their class; the class of unknown answers is ``len(answers)``.
        spellings: the most frequent published spelling of each, shown to people.
        normaliser: name of the normaliser.
    """

    answers: tuple[str, ...]
    spellings: tuple[str, ...]
    normaliser: str

    @classmethod
    def count(cls, answers: Iterable[str], normaliser: str) -> "AnswerVocabulary":
        """Count the training answers; equal counts keep the order of first appearance."""
        normalise = text.NORMALISERS[normaliser]
        counts: Counter[str] = Counter()
        spellings: dict[str, Counter[str]] = {}
        for answer in answers:
            normal = normalise(answer)
            counts[normal] += 1
            spellings.setdefault(normal, Counter())[answer] += 1
        kept = tuple(answer for answer, _ in counts.most_common())
        return cls(kept, tuple(spellings[answer].most_common(1)[0][0] for answer in kept), normaliser)

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "AnswerVocabulary":
        """Undo ``dataclasses.asdict``."""
        return cls(tuple(values["answers"]), tuple(values["spellings"]), values["normaliser"])

    def __len__(self) -> int:
        return len(self.answers) + 1

    def encode(self, answers: Sequence[str]) -> Tensor:
        """Turn answers into classes, ``(answers,)``."""
        normalise = text.NORMALISERS[self.normaliser]
        index = {answer: place for place, answer in enumerate(self.answers)}
        return torch.tensor([index.get(normalise(answer), len(self.answers)) for answer in answers], dtype=torch.long)

    def spell(self, index: int) -> str:
        """Return the answer of a class as people write it."""
        return self.spellings[index] if index < len(self.spellings) else UNKNOWN_ANSWER

    def knows(self, answer: str) -> bool:
        """Whether an answer occurred in training (normalised)."""
        return text.NORMALISERS[self.normaliser](answer) in self._known

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.answers)


def count_vocabularies(training: Sequence[Sample], length: int) -> tuple[WordVocabulary, AnswerVocabulary]:
    """Count the words and the answers of training samples, with the normaliser of their language.

    Args:
        training: the samples to learn from, of one language.
        length: questions are cut to this many words.
    """
    normaliser = text.normaliser_for(sample.language for sample in training)
    words = WordVocabulary.count([sample.question for sample in training], normaliser, length)
    return words, AnswerVocabulary.count([sample.answer for sample in training], normaliser)
