"""Whether a model's confidence means what it says, and what abstaining when unsure is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from radvqa.prediction import Prediction
from radvqa.scoring.statistics import FloatArray

BINS = 10
COVERAGES = (0.5, 0.8, 0.9, 1.0)
_POINTS = 101
_ROUNDING = 1e-9  # of a sum of means


@dataclass(frozen=True)
class Selected:
    """What answering only when sure enough is worth.

    Attributes:
        threshold: lowest confidence with which an answer is said.
        accuracy: share of right answers among those said.
        coverage: share of the questions that are answered.
    """

    threshold: float
    accuracy: float
    coverage: float


def selective_threshold(confidence: FloatArray, right: FloatArray, target: float) -> Selected | None:
    """Find the lowest confidence at which the answers said are right often enough.

    Args:
        confidence: of each answer, ``(n,)``.
        right: 1 where an answer is correct, else 0, ``(n,)``.
        target: wanted share of right answers among those said.

    Returns:
        The threshold with the largest coverage; answers of one confidence are said or withheld together. None where
        no threshold reaches the target.

    Source: Y. Geifman, R. El-Yaniv, Selective Classification for Deep Neural Networks, NeurIPS 2017, section 2.
    """
    falling, hits = _selective(confidence, right)
    last = np.flatnonzero(np.diff(falling, append=-np.inf))  # of each confidence
    reached = last[hits[last] >= target * (last + 1) - _ROUNDING]
    if not len(reached):
        return None
    said = int(reached[-1]) + 1
    return Selected(float(falling[said - 1]), float(hits[said - 1] / said), said / len(falling))


def score_calibration(predictions: Sequence[Prediction], right: FloatArray) -> dict[str, Any] | None:
    """Compare confidence with correctness; None when any prediction has no confidence.

    Args:
        predictions: with the probability that the model gives its answer: of a class, or of a generated sequence.
        right: 1 where an answer is correct, else 0, ``(n,)``.

    Returns:
        ``n``; ``ece``, the expected calibration error over ten bins of equal width; ``brier``, the mean squared
        distance between confidence and correctness; ``bins``; ``risk_coverage``, for each share of answers kept (the
        most confident first) ``[coverage, accuracy, lowest confidence kept]``; ``at_coverage``, accuracy when the
        model answers that share of the questions and abstains from the rest. Questions of one confidence are kept or
        left together as far as their expected accuracy goes, so that their order does not matter.

    Source: C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3; G. W. Brier, Monthly
    Weather Review 78, 1950; Y. Geifman, R. El-Yaniv, Selective Classification, NeurIPS 2017.
    """
    confidences = [p.confidence for p in predictions]
    known = [c for c in confidences if c is not None and np.isfinite(c)]
    if len(known) < len(confidences) or not known:
        return None
    confidence = np.array(known, dtype=np.float64)
    bins = _bins(confidence, right)
    curve = _selective(confidence, right)
    return {
        "n": len(confidence),
        "ece": sum(b["n"] * abs(b["accuracy"] - b["confidence"]) for b in bins) / len(confidence),
        "brier": float(((confidence - right) ** 2).mean()),
        "bins": bins,
        "risk_coverage": [_point(curve, share) for share in np.linspace(0, 1, _POINTS)[1:]],
        "at_coverage": {str(share): _point(curve, share)[1] for share in COVERAGES},
    }


def _bins(confidence: FloatArray, right: FloatArray) -> list[dict[str, Any]]:
    """Sort answers into bins of equal width; a bin without answers is left out."""
    place = np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
    return [
        {
            "low": b / BINS,
            "high": (b + 1) / BINS,
            "n": int((place == b).sum()),
            "confidence": float(confidence[place == b].mean()),
            "accuracy": float(right[place == b].mean()),
        }
        for b in range(BINS)
        if (place == b).any()
    ]


def _selective(confidence: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return confidences in falling order, and the cumulative expected number of right answers.

    Among equal confidences any could be kept first, so each counts as the mean of them.
    """
    levels, inverse = np.unique(-confidence, return_inverse=True)
    means = np.bincount(inverse, right) / np.bincount(inverse)
    order = np.argsort(inverse, kind="stable")
    return -levels[inverse[order]], np.cumsum(means[inverse[order]])


def _point(curve: tuple[FloatArray, FloatArray], share: float) -> list[float]:
    confidence, hits = curve
    kept = max(1, int(np.ceil(share * len(hits) - 1e-9)))
    return [kept / len(hits), float(hits[kept - 1] / kept), float(confidence[kept - 1])]
