"""Metrics that ask whether the answer is the gold answer."""

import numpy as np

from radvqa.scoring.items import Items
from radvqa.scoring.metric import Metric, Undefined
from radvqa.scoring.statistics import MacroF1, Mean, Statistic


def accuracy(items: Items) -> Statistic:
    """Share of items whose answer equals the gold after normalisation; an unseen gold can only be missed."""
    return Mean((items.gold == items.prediction).astype(np.float64))


def top(k: int, items: Items) -> Statistic | Undefined:
    """Share of items whose gold is among the first ``k`` candidates."""
    without = int((items.candidates[:, 0] < 0).sum())
    if without == len(items):
        return Undefined("no candidates: the model ranks no answers")
    if without:
        return Undefined(f"{without} of {len(items)} predictions have no candidates")
    return Mean((items.candidates[:, :k] == items.gold[:, None]).any(axis=1).astype(np.float64))


def macro_f1(items: Items) -> Statistic:
    """Unweighted mean of F1 over the answers that occur as gold or as prediction.

    Resamples lack some rare answers, so the interval need not be centred on the value.
    """
    return MacroF1(items.gold, items.prediction)


def macro_f1_gold(items: Items) -> Statistic:
    """Unweighted mean of F1 over the answers that occur as gold."""
    return MacroF1(items.gold, items.prediction, np.unique(items.gold))


METRICS: dict[str, Metric] = {
    "accuracy": Metric(
        "Accuracy",
        "Share of questions whose answer equals the gold answer after normalisation. For a classifier this is the "
        "accuracy over its answer list.",
        "seed 000, classification accuracy",
        accuracy,
    ),
    "exact_match": Metric(
        "Exact match",
        "Share of questions whose text equals the gold text after normalisation; for short answers it is the accuracy.",
        "P. Rajpurkar et al., SQuAD, EMNLP 2016, section 6.1, with this toolkit's normaliser",
        accuracy,
    ),
    "top3": Metric(
        "Top-3",
        "Share of questions whose gold answer is among the model's first three candidates.",
        "usual in image classification",
        lambda items: top(3, items),
    ),
    "top5": Metric(
        "Top-5",
        "Share of questions whose gold answer is among the model's first five candidates.",
        "seed 000, top-5 accuracy",
        lambda items: top(5, items),
    ),
    "macro_f1": Metric(
        "Macro-F1",
        "Unweighted mean of F1 over all answers that occur as gold or as prediction, so rare answers weigh as much as "
        "frequent ones. An answer that is only ever predicted counts 0.",
        'seed 000; equals scikit-learn\'s f1_score(average="macro") without labels',
        macro_f1,
    ),
    "macro_f1_gold": Metric(
        "Macro-F1, gold answers",
        "The same mean over the answers that occur as gold only. It does not fall when a model invents many different "
        "answers.",
        'scikit-learn\'s f1_score(labels=gold answers, average="macro")',
        macro_f1_gold,
    ),
}
