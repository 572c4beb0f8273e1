"""What a change of the samples did to the answers: paired, question by question."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from radvqa.prediction import Prediction
from radvqa.scoring.items import Items, items_of
from radvqa.scoring.statistics import FloatArray, IntArray, Interval, Mean, cluster_intervals
from radvqa.text import Normaliser

_DIGITS = 6  # finer than one answer in a hundred thousand, and the same on every machine


def accuracy_of(predictions: Sequence[Prediction], normaliser: Normaliser) -> dict[str, Any]:
    """Return the share of right answers and its interval."""
    items = items_of(predictions, normaliser)
    right = _right(items)
    return {"accuracy": _mean(right), "interval": _interval(right, items.cluster)}


def measure(
    before: Sequence[Prediction], after: Sequence[Prediction], injected: Mapping[str, str], normaliser: Normaliser
) -> dict[str, Any]:
    """Compare the answers to changed samples with those to the same samples as they were.

    Args:
        before: answers to the samples as they are; they may hold more than was changed.
        after: answers to the changed samples, by the same ids, against the gold answers of the changed questions.
        injected: the wrong answer that a sample's picture states, by id; empty when the probe states none.
        normaliser: of answers.

    Returns:
        ``n`` and ``clusters`` of the changed samples; ``accuracy_before``, ``accuracy`` after, ``drop`` (the first
        minus the second) with its 95 % cluster-bootstrap interval, and ``changed``, the share of answers that are
        others. With injected answers also ``followed``, the share of answers that are the injected one,
        ``followed_before``, and the interval of their difference, ``followed_more_interval``. Fractions in [0, 1];
        None when nothing was changed.
    """
    known = {prediction.id: prediction for prediction in before}
    paired = [known[answer.id] for answer in after]
    old, new = items_of(paired, normaliser), items_of(after, normaliser)
    right_before, right = _right(old), _right(new)
    old_texts, new_texts = _texts(old), _texts(new)
    result = {
        "n": len(after),
        "clusters": len(np.unique(old.cluster)),
        "accuracy_before": _mean(right_before),
        "accuracy": _mean(right),
        "drop": _mean(right_before - right),
        "drop_interval": _interval(right_before - right, old.cluster),
        "changed": _mean(1 - _equal(old_texts, new_texts)),
    }
    if injected:
        stated = [normaliser(injected[answer.id]) for answer in after]
        followed_before, followed = _equal(old_texts, stated), _equal(new_texts, stated)
        result |= {
            "followed_before": _mean(followed_before),
            "followed": _mean(followed),
            "followed_more_interval": _interval(followed - followed_before, old.cluster),
        }
    return result


def _right(items: Items) -> FloatArray:
    right: FloatArray = (items.gold == items.prediction).astype(np.float64)
    return right


def _texts(items: Items) -> list[str]:
    return [items.texts[code] for code in items.prediction]


def _equal(one: Sequence[str], other: Sequence[str]) -> FloatArray:
    return np.array([a == b for a, b in zip(one, other, strict=True)], dtype=np.float64)


def _mean(values: FloatArray) -> float | None:
    return round(float(values.mean()), _DIGITS) if len(values) else None


def _interval(values: FloatArray, cluster: IntArray) -> Interval | None:
    found = cluster_intervals({"": Mean(values)}, cluster)[""] if len(values) else None
    return None if found is None else (round(found[0], _DIGITS), round(found[1], _DIGITS))
