"""Twin images: the same question about two pictures that differ in one finding. Only who looks gets both right."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from radvqa.prediction import Prediction
from radvqa.sample import cluster_of
from radvqa.scoring.statistics import Mean, cluster_intervals
from radvqa.text import Normaliser


def score_twins(
    predictions: Sequence[Prediction], normaliser: Normaliser, *, resamples: int, seed: int
) -> dict[str, Any] | None:
    """Score pairs of predictions that name each other as twins; None when there are no pairs.

    Returns:
        ``pairs``; ``both_right``, the share of pairs with two exact answers, and its interval; ``same_answer``, the
        share that got one answer twice, as a model does that does not look; ``chance``, the expected ``both_right``
        of a guesser that draws each answer from the gold answers to the same question.
    """
    by_id = {p.id: p for p in predictions}
    pairs = [
        (p, by_id[p.twin]) for p in predictions if p.id < p.twin and p.twin in by_id and by_id[p.twin].twin == p.id
    ]
    if not pairs:
        return None
    right = np.array([_right(a, normaliser) and _right(b, normaliser) for a, b in pairs], dtype=np.float64)
    same = [normaliser(a.prediction) == normaliser(b.prediction) for a, b in pairs]
    keys = {pair: code for code, pair in enumerate(dict.fromkeys(map(_cluster, pairs)))}
    cluster = np.array([keys[_cluster(pair)] for pair in pairs], dtype=np.intp)
    return {
        "pairs": len(pairs),
        "both_right": float(right.mean()),
        "both_right_interval": cluster_intervals({"": Mean(right)}, cluster, resamples=resamples, seed=seed)[""],
        "same_answer": float(np.mean(same)),
        "chance": _chance(predictions, pairs, normaliser),
    }


def _right(prediction: Prediction, normaliser: Normaliser) -> bool:
    return normaliser(prediction.prediction) == normaliser(prediction.answer)


def _cluster(pair: tuple[Prediction, Prediction]) -> tuple[str, ...]:
    """Both pictures together are the unit; without names of pictures the pair is."""
    return tuple(sorted({cluster_of(p.image, p.case) or p.id for p in pair}))


def _chance(
    predictions: Sequence[Prediction], pairs: Sequence[tuple[Prediction, Prediction]], normaliser: Normaliser
) -> float:
    golds: dict[str, Counter[str]] = defaultdict(Counter)
    for prediction in predictions:
        golds[normaliser(prediction.question)][normaliser(prediction.answer)] += 1

    def guessed(prediction: Prediction) -> float:
        counts = golds[normaliser(prediction.question)]
        return counts[normaliser(prediction.answer)] / counts.total()

    return float(np.mean([guessed(a) * guessed(b) for a, b in pairs]))
