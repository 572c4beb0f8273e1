"""A vote of several models on the same questions: how answers are joined, and how the weights are chosen.

Each member spreads a probability over its candidate answers; answers that are equal after the normaliser are one. The
vote of an answer is the weighted sum of what the members give it (a linear opinion pool: M. Stone, Annals of
Mathematical Statistics 32, 1961). What a member leaves unsaid, because it told its best candidates only or wrote a
single answer, is given to no answer.

Letters: ``m`` members, ``q`` questions, ``a`` most answers that any question was given.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from radvqa.errors import DataError
from radvqa.prediction import Prediction
from radvqa.text import NORMALISERS

FloatArray = NDArray[np.float64]

_CANDIDATES = 10  # as many as a prediction may hold
_STEPS = (20, 10, 5, 4, 3, 2)  # a weight is a multiple of one of these parts of 1
_MOST_TRIED = 5000
_COOLEST, _HOTTEST = 0.2, 10.0
_LEAST = 1e-6  # candidates are kept to six digits


@dataclass(frozen=True)
class Vote:
    """How much each member counts.

    Attributes:
        weights: of the members; they sum to 1.
        temperatures: a member's probabilities are raised to 1 / temperature first, what it left unsaid among them.
    """

    weights: tuple[float, ...]
    temperatures: tuple[float, ...]


@dataclass(frozen=True)
class Chosen:
    """What was chosen on the selection split, and what it came to there.

    Attributes:
        vote: the best one found.
        accuracy: of the vote.
        alone: of each member by itself.
        equal: of equal weights without temperatures.
        tried: how many votes were compared.
    """

    vote: Vote
    accuracy: float
    alone: tuple[float, ...]
    equal: float
    tried: int


@dataclass(frozen=True, eq=False)
class Ballots:
    """What some members say to the same questions.

    Attributes:
        questions: with the gold answers.
        answers: the distinct answers that each question was given, in the first member's spelling that has them.
        given: probability that each member gives each answer, ``(m, q, a)``; 0 beyond a question's answers.
        gold: place of the gold among a question's answers, -1 where no member gives it, ``(q,)``.
    """

    questions: Sequence[Prediction]
    answers: Sequence[Sequence[str]]
    given: FloatArray
    gold: NDArray[np.intp]

    def tempered(self, temperatures: Sequence[float]) -> FloatArray:
        """Sharpen (below 1) or flatten (above 1) what each member gives, ``(m, q, a)``."""
        return np.stack([_tempered(given, t) for given, t in zip(self.given, temperatures, strict=True)])

    def right(self, votes: FloatArray) -> NDArray[np.bool_]:
        """Whether the answer with most votes is the gold; ``votes`` are ``(q, a)``."""
        found: NDArray[np.bool_] = (votes.argmax(1) == self.gold) & (votes.max(1) > 0)
        return found

    def surprise(self, votes: FloatArray) -> float:
        """Mean negative logarithm of what the gold is given, or of what nothing is given where it has no votes."""
        at_gold = np.where(self.gold >= 0, votes[np.arange(len(votes)), self.gold], 0.0)
        likelihood = np.where(at_gold > 0, at_gold, 1 - votes.sum(1))
        return float(-np.log(likelihood.clip(_LEAST, 1)).mean())


def ballots(members: Sequence[Sequence[Prediction]], normaliser: str) -> Ballots:
    """Lay the members' predictions side by side, in the order of the first one's.

    A member with no confidence in its single answer counts as sure of it; one that gave none votes for nothing.

    Args:
        members: predictions of each; of the same questions.
        normaliser: name of the one that tells which answers are equal.

    Raises:
        DataError: when there are no predictions, or the members were not asked the same.
    """
    if not members or not members[0]:
        raise DataError("There are no predictions to join.")
    normalise = lru_cache(maxsize=1 << 16)(NORMALISERS[normaliser])
    questions = members[0]
    sorted_out = [_in_order_of(questions, member) for member in members]
    answers: list[list[str]] = []
    found: list[tuple[int, int, int, float]] = []
    gold = np.full(len(questions), -1, dtype=np.intp)
    for row, question in enumerate(questions):
        places: dict[str, int] = {}
        spelled: list[str] = []
        for member, predictions in enumerate(sorted_out):
            for answer, probability in _votes(predictions[row]):
                place = places.setdefault(normalise(answer), len(places))
                spelled += [answer] * (place == len(spelled))
                found.append((member, row, place, probability))
        answers.append(spelled)
        gold[row] = places.get(normalise(question.answer), -1)
    given = np.zeros((len(members), len(questions), max(1, *map(len, answers))))
    for member, row, place, probability in found:
        given[member, row, place] += probability
    return Ballots(questions, answers, given.clip(0, 1), gold)


def choose(known: Ballots) -> Chosen:
    """Find the vote that is right most often on some questions, which must be none of the test.

    Weights are tried on a grid that holds each member alone; among votes that are right equally often the one that
    is least surprised by the gold is taken, then the first. Temperatures are those that make each member alone least
    surprised (C. Guo et al., ICML 2017); they are used where they cost no right answer.
    """
    members = len(known.given)
    plain = tuple([1.0] * members)
    fitted = tuple(_temperature(known, member) for member in range(members))
    tried: list[tuple[int, float, int, Vote]] = []
    for temperatures in (fitted, plain):
        tempered = known.tempered(temperatures)
        for weights in _grid(members):
            votes = np.tensordot(weights, tempered, 1)
            score = (-int(known.right(votes).sum()), round(known.surprise(votes), 9), len(tried))
            tried.append((*score, Vote(weights, temperatures)))
    wrong, _, _, vote = min(tried, key=lambda one: one[:3])
    alone = tuple(float(known.right(given).mean()) for given in known.given)
    equal = float(known.right(known.given.mean(0)).mean())
    return Chosen(vote, -wrong / len(known.questions), alone, equal, len(tried))


def answer(known: Ballots, vote: Vote) -> list[Prediction]:
    """Answer every question by a vote; the confidence is the votes of the answer, a number from 0 to 1."""
    votes = np.tensordot(vote.weights, known.tempered(vote.temperatures), 1)
    order = np.argsort(-votes, axis=1, kind="stable")[:, :_CANDIDATES]
    return [
        _answered(question, [(answers[place], float(row[place])) for place in places if row[place] > 0])
        for question, answers, row, places in zip(known.questions, known.answers, votes, order.tolist(), strict=True)
    ]


def _answered(question: Prediction, ranked: Sequence[tuple[str, float]]) -> Prediction:
    candidates = tuple((text, round(min(votes, 1.0), 6)) for text, votes in ranked)
    text, confidence = candidates[0] if candidates else ("", 0.0)
    return replace(question, prediction=text, confidence=confidence, candidates=candidates, missing=not candidates)


def _in_order_of(questions: Sequence[Prediction], member: Sequence[Prediction]) -> list[Prediction]:
    by_id = {prediction.id: prediction for prediction in member}
    asked = {question.id for question in questions}
    odd = sorted(asked.symmetric_difference(by_id))
    if odd:
        raise DataError(
            f"The members answered different questions, {len(asked):,} and {len(by_id):,}; {odd[0]} is answered by one "
            f"of them only. Let all of them answer the whole split."
        )
    for question in questions:
        other = by_id[question.id]
        if (other.question, other.answer) != (question.question, question.answer):
            raise DataError(
                f"The members answered different questions under the id {question.id}: {question.question!r} and "
                f"{other.question!r}, gold {question.answer!r} and {other.answer!r}."
            )
    return [by_id[question.id] for question in questions]


def _votes(prediction: Prediction) -> Sequence[tuple[str, float]]:
    if prediction.missing:
        return ()
    confidence = 1.0 if prediction.confidence is None else prediction.confidence
    return prediction.candidates or ((prediction.prediction, confidence),)


def _tempered(given: FloatArray, temperature: float) -> FloatArray:
    """Raise probabilities to 1 / temperature, what was left unsaid as if it were one more answer; ``(q, a)``."""
    if temperature == 1:
        return given
    powers = given ** (1 / temperature)
    unsaid = (1 - given.sum(1)).clip(0) ** (1 / temperature)
    total = powers.sum(1) + unsaid
    return powers / np.where(total > 0, total, 1)[:, None]


def _temperature(known: Ballots, member: int) -> float:
    from scipy.optimize import minimize_scalar

    given = known.given[member]
    found = minimize_scalar(
        lambda logarithm: known.surprise(_tempered(given, math.exp(logarithm))),
        bounds=(math.log(_COOLEST), math.log(_HOTTEST)),
        method="bounded",
    )
    return round(math.exp(float(found.x)), 3)


def _grid(members: int) -> Iterator[tuple[float, ...]]:
    """Yield equal weights, then every way of sharing 1 out in equal parts, as fine as is quick."""
    yield tuple([1 / members] * members)
    steps = next((n for n in _STEPS if math.comb(n + members - 1, members - 1) <= _MOST_TRIED), 1)
    for bars in combinations(range(steps + members - 1), members - 1):
        edges = (-1, *bars, steps + members - 1)
        yield tuple((after - before - 1) / steps for before, after in pairwise(edges))
