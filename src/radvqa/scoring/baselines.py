"""Trivial answerers that never look at the image; a model that does not beat them has learnt little from it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from radvqa.errors import DataError, nearest
from radvqa.prediction import Prediction, from_sample
from radvqa.sample import Sample
from radvqa.text import NORMALISERS, Normaliser

Answerer = Callable[[Sample], str]

ECHO = "echo_question"
"""The baseline that repeats the question: what any fluent text gets from metrics of overlap."""

_YES = {"en": "yes", "zh": "是的"}


@dataclass(frozen=True)
class Baselines:
    """Fitted baselines.

    Attributes:
        answerers: baseline name → what answers a sample.
        answer_counts: how often training has each normalised answer.
        questions: the normalised training questions.
        normaliser: of questions and answers.
    """

    answerers: dict[str, Answerer]
    answer_counts: Mapping[str, int]
    questions: frozenset[str]
    normaliser: Normaliser

    def familiar(self, predictions: Sequence[Prediction]) -> list[Prediction]:
        """Note on predictions how often training has the gold answer, and whether it asks the question."""
        return [
            replace(
                p,
                answer_count=self.answer_counts.get(self.normaliser(p.answer), 0),
                question_seen=self.normaliser(p.question) in self.questions,
            )
            for p in predictions
        ]

    def predict(self, samples: Sequence[Sample]) -> dict[str, list[Prediction]]:
        """Answer samples with every baseline."""
        seen = [self.normaliser(sample.answer) in self.answer_counts for sample in samples]
        return {
            name: [from_sample(s, answer(s), answer_seen=known) for s, known in zip(samples, seen, strict=True)]
            for name, answer in self.answerers.items()
        }


def fit_baselines(train: Sequence[Sample], normaliser: Normaliser) -> Baselines:
    """Learn the four baselines from training samples.

    ``always_yes`` learns nothing. ``majority_per_type`` gives the most frequent answer of the answer type.
    ``question_lookup`` gives the most frequent answer to the same normalised question, else as the one before.
    ``question_metadata_lookup`` is an oracle that is also told the labelled organ and modality, else as the one
    before. Of equally frequent answers the one that came first in training is given.

    Raises:
        DataError: when there are no training samples.
    """
    if not train:
        raise DataError("The baselines need training samples, and there are none.")

    def anything(_: Sample) -> Hashable:
        return ()

    def answer_type(sample: Sample) -> Hashable:
        return sample.answer_type

    def question(sample: Sample) -> Hashable:
        return normaliser(sample.question)

    def question_and_metadata(sample: Sample) -> Hashable:
        return normaliser(sample.question), sample.organ, sample.modality

    whole = _lookup(train, normaliser, anything, _always_yes)
    majority = _lookup(train, normaliser, answer_type, whole)
    by_question = _lookup(train, normaliser, question, majority)
    return Baselines(
        answerers={
            "always_yes": _always_yes,
            "majority_per_type": majority,
            "question_lookup": by_question,
            "question_metadata_lookup": _lookup(train, normaliser, question_and_metadata, by_question),
        },
        answer_counts=Counter(normaliser(sample.answer) for sample in train),
        questions=frozenset(normaliser(sample.question) for sample in train),
        normaliser=normaliser,
    )


def predict_baselines(
    train: Sequence[Sample], test: Sequence[Sample], normaliser_name: str
) -> dict[str, list[Prediction]]:
    """Fit the baselines on one split and answer another: baseline name → predictions in the order of ``test``.

    Raises:
        DataError: when there are no training samples, or the normaliser is unknown.
    """
    if normaliser_name not in NORMALISERS:
        raise DataError(f"There is no normaliser {normaliser_name!r}; {nearest(normaliser_name, list(NORMALISERS))}")
    return fit_baselines(train, NORMALISERS[normaliser_name]).predict(test)


def _always_yes(sample: Sample) -> str:
    return _YES.get(sample.language, _YES["en"])


def _lookup(
    train: Sequence[Sample], normaliser: Normaliser, key: Callable[[Sample], Hashable], fallback: Answerer
) -> Answerer:
    """Answer with the most frequent training answer of the sample's key, in the spelling that came first."""
    spelling: dict[str, str] = {}
    counts: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for sample in train:
        answer = normaliser(sample.answer)
        spelling.setdefault(answer, sample.answer)
        counts[key(sample)][answer] += 1
    # max returns the first of equals, and a Counter keeps the order in which answers came
    best = {known: spelling[max(counted, key=counted.__getitem__)] for known, counted in counts.items()}
    return lambda sample: best[key(sample)] if key(sample) in best else fallback(sample)
