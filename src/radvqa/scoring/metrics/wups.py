"""WUPS: answers that are nearly right by WordNet, as the first benchmark of visual question answering scored them."""

import os
from functools import lru_cache, partial

import numpy as np

from radvqa.errors import DataError
from radvqa.scoring.items import Compare, Items, per_pair
from radvqa.scoring.metric import Metric, Undefined
from radvqa.scoring.statistics import Mean, Statistic
from radvqa.scoring.wordnet import Nouns, open_wordnet

_FAR = 0.1  # weight of a similarity below the threshold
_NEGLIGIBLE = 1e-12  # a product this small is 0 in every table; long lists of words end here


def words_of(answer: str) -> list[str]:
    """Split an answer at commas into distinct words, lower-cased, blanks collapsed; a word may hold blanks."""
    words = (" ".join(part.lower().split()) for part in answer.split(","))
    return list(dict.fromkeys(word for word in words if word))


def set_score(nouns: Nouns, threshold: float, gold: str, answer: str) -> float:
    """Compare two answers as sets of words, in [0, 1]; two empty ones score 1.

    Each word counts with its largest similarity to a word of the other set, and a set with the product over its
    words; the smaller of the two products is the score.
    """
    golds, answers = words_of(gold), words_of(answer)
    if not golds or not answers:
        return float(golds == answers)
    shorter, longer = sorted([golds, answers], key=len)
    one = _product(nouns, threshold, longer, shorter)
    return min(one, _product(nouns, threshold, shorter, longer)) if one else 0.0


def _product(nouns: Nouns, threshold: float, words: list[str], others: list[str]) -> float:
    known = set(others)
    product = 1.0
    for word in words:
        if word not in known:
            product *= max(weighted(nouns.similarity(word, other), threshold) for other in others)
        if product < _NEGLIGIBLE:
            return 0.0
    return product


def weighted(similarity: float, threshold: float) -> float:
    """Keep a similarity that reaches the threshold; one below it counts a tenth."""
    return similarity if similarity >= threshold else _FAR * similarity


def wups(threshold: float, items: Items) -> Statistic | Undefined:
    """Mean set score; an answer that equals its gold after normalisation scores 1."""
    nouns = _nouns(os.environ.get("RADVQA_WORDNET"))
    if isinstance(nouns, Undefined):
        return nouns
    try:
        values = per_pair(items, _compare(nouns, threshold), raw=True)
    except DataError as error:
        return Undefined(str(error))
    return Mean(np.where(items.gold == items.prediction, 1.0, values))


@lru_cache(2)
def _compare(nouns: Nouns, threshold: float) -> Compare:
    """Return the same function each time, so that what it compared is known again."""
    return partial(set_score, nouns, threshold)


@lru_cache(1)
def _nouns(_named: str | None) -> Nouns | Undefined:
    try:
        return open_wordnet()
    except DataError as error:
        return Undefined(str(error))


METRICS: dict[str, Metric] = {
    name: Metric(
        f"WUPS@{threshold}",
        f"Mean nearness of answer and gold in WordNet's tree of nouns, by Wu and Palmer{below}. Both are sets of words "
        "separated by commas; a word that WordNet does not have is right only when it is equal. WordNet knows what "
        "things are, not what matters: to it “left” and “right” are 0.91 near.",
        "M. Malinowski, M. Fritz, NIPS 2014 (DAQUAR), with their calculate_wups.py's weight of 0.1; equal answers "
        "after this toolkit's normaliser score 1",
        partial(wups, threshold),
        of_baselines=False,
    )
    for name, threshold, below in [("wups09", 0.9, "; less than 0.9 counts a tenth"), ("wups00", 0.0, "")]
}
