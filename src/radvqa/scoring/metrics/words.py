"""Metrics that compare the bags and sequences of words of answer and gold."""

from collections import Counter

import numpy as np

from radvqa.scoring.items import Compare, Items, per_pair
from radvqa.scoring.metric import Metric, Undefined
from radvqa.scoring.statistics import Mean, Statistic
from radvqa.text import tokens


def overlap_f1(gold: str, answer: str) -> float:
    """Harmonic mean of precision and recall of the two bags of words; two empty texts score 1, one empty scores 0."""
    one, other = Counter(tokens(gold)), Counter(tokens(answer))
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0


def recall(gold: str, answer: str) -> float:
    """Share of the gold's words that the answer has, each as often; NaN when the gold has no words."""
    one = Counter(tokens(gold))
    return (one & Counter(tokens(answer))).total() / one.total() if one else np.nan


def contained(gold: str, answer: str) -> float:
    """Whether the gold's words stand in the answer, in order and without gaps; NaN when the gold has no words."""
    words, given = tokens(gold), tokens(answer)
    if not words:
        return np.nan
    return float(any(given[i : i + len(words)] == words for i in range(len(given) - len(words) + 1)))


def _mean(compare: Compare, items: Items) -> Statistic | Undefined:
    values = per_pair(items, compare)
    return Undefined("no gold answer has a word after normalisation") if np.isnan(values).all() else Mean(values)


METRICS: dict[str, Metric] = {
    "token_f1": Metric(
        "Token-F1",
        "Mean overlap of the bags of words of answer and gold: the harmonic mean of precision and recall.",
        "P. Rajpurkar et al., SQuAD, EMNLP 2016, section 6.1",
        lambda items: _mean(overlap_f1, items),
    ),
    "token_recall": Metric(
        "Token recall",
        "Mean share of the gold's words that the answer has. It does not fall when an answer says everything.",
        "C. Li et al., LLaVA-Med, NeurIPS 2023, open questions, with this toolkit's normaliser",
        lambda items: _mean(recall, items),
    ),
    "containment": Metric(
        "Containment",
        "Share of questions whose gold answer stands in the answer as a sequence of whole words.",
        "this toolkit; whole words, so that “no” is not found in “abnormal”",
        lambda items: _mean(contained, items),
    ),
}
