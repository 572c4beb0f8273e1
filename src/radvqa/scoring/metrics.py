"""Metrics of short answers. Adding one is a function and an entry in ``METRICS``; values are fractions in [0, 1]."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from radvqa.scoring.items import Items
from radvqa.scoring.statistics import MacroF1, Mean, Statistic
from radvqa.text import tokens


@dataclass(frozen=True, slots=True)
class Undefined:
    """A metric that these items do not have; shown as such, never as 0."""

    reason: str


Metric = Callable[[Items], Statistic | Undefined]


def accuracy(items: Items) -> Statistic:
    """Share of items whose answer equals the gold after normalisation; an unseen gold can only be missed.

    For a classifier this is the accuracy over its answer list. Source: seed 000, classification accuracy.
    """
    return Mean((items.gold == items.prediction).astype(np.float64))


def exact_match(items: Items) -> Statistic:
    """Share of items whose text equals the gold's after normalisation; for a classifier it is the accuracy.

    Source: P. Rajpurkar et al., SQuAD, EMNLP 2016, section 6.1, with this toolkit's normaliser.
    """
    return accuracy(items)


def top5(items: Items) -> Statistic | Undefined:
    """Share of items whose gold is among the first five candidates."""
    without = int((items.candidates[:, 0] < 0).sum())
    if without == len(items):
        return Undefined("no candidates: the model ranks no answers")
    if without:
        return Undefined(f"{without} of {len(items)} predictions have no candidates")
    return Mean((items.candidates == items.gold[:, None]).any(axis=1).astype(np.float64))


def macro_f1(items: Items) -> Statistic:
    """Unweighted mean of F1 over the answers that occur as gold or as prediction.

    Rare answers weigh as much as frequent ones. Resamples lack some rare answers, so the interval need not be
    centred on the value. Source: seed 000; equals scikit-learn's ``f1_score(average="macro")`` over that union.
    """
    return MacroF1(items.gold, items.prediction)


def token_f1(items: Items) -> Statistic:
    """Mean overlap of the bags of words of answer and gold: the harmonic mean of precision and recall.

    Two empty texts score 1, one empty text scores 0. Source: P. Rajpurkar et al., SQuAD, EMNLP 2016, section 6.1.
    """
    pairs, inverse = np.unique(np.stack([items.gold, items.prediction]), axis=1, return_inverse=True)
    bags = {code: Counter(tokens(items.texts[code])) for code in np.unique(pairs).tolist()}
    scores = [_overlap(bags[gold], bags[answer]) for gold, answer in pairs.T.tolist()]
    return Mean(np.array(scores, dtype=np.float64)[inverse])


def _overlap(gold: Counter[str], answer: Counter[str]) -> float:
    total = gold.total() + answer.total()
    return 2 * (gold & answer).total() / total if total else 1.0


METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "exact_match": exact_match,
    "top5": top5,
    "macro_f1": macro_f1,
    "token_f1": token_f1,
}
