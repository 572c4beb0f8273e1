"""Calibration by hand and against scikit-learn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from radvqa.prediction import Prediction
from radvqa.scoring.calibration import score_calibration

CONFIDENT = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=60)


def scored(confidences: Sequence[float | None], right: Sequence[float]) -> dict[str, Any] | None:
    made = [Prediction(str(i), "?", "yes", "yes", "CLOSED", confidence=c) for i, c in enumerate(confidences)]
    return score_calibration(made, np.array(right, dtype=np.float64))


def test_by_hand() -> None:
    found = scored([0.95, 0.95, 0.55, 0.55], [1, 1, 0, 1])
    assert found is not None
    assert found["ece"] == pytest.approx((2 * 0.05 + 2 * 0.05) / 4)
    assert found["brier"] == pytest.approx((2 * 0.05**2 + 0.55**2 + 0.45**2) / 4)
    assert [(b["low"], b["n"], b["accuracy"]) for b in found["bins"]] == [(0.5, 2, 0.5), (0.9, 2, 1.0)]
    assert found["at_coverage"] == {"0.5": 1.0, "0.8": 0.75, "0.9": 0.75, "1.0": 0.75}


def test_equal_confidences_count_as_their_mean() -> None:
    """Of four answers of one confidence, half of them right, any two may be kept."""
    for right in ([1, 1, 0, 0], [0, 0, 1, 1]):
        found = scored([0.7] * 4, right)
        assert found is not None
        assert found["at_coverage"]["0.5"] == 0.5


def test_a_perfect_forecaster_has_no_error() -> None:
    found = scored([1.0, 1.0, 0.0], [1, 1, 0])
    assert found is not None
    assert found["ece"] == found["brier"] == 0


def test_without_confidence_there_is_none() -> None:
    assert scored([0.5, None], [1, 0]) is None
    assert scored([0.5, float("nan")], [1, 0]) is None


@given(CONFIDENT)
def test_properties(rows: list[tuple[float, bool]]) -> None:
    confidence, right = [c for c, _ in rows], [float(r) for _, r in rows]
    found = scored(confidence, right)
    assert found is not None
    assert found["brier"] == pytest.approx(np.mean((np.array(confidence) - right) ** 2))
    if len(set(right)) == 2:
        assert found["brier"] == pytest.approx(brier_score_loss(right, confidence))
    assert 0 <= found["ece"] <= 1
    assert sum(b["n"] for b in found["bins"]) == found["n"] == len(rows)
    assert all(b["low"] <= b["confidence"] <= b["high"] + 1e-12 for b in found["bins"])
    assert found["at_coverage"]["1.0"] == pytest.approx(np.mean(right))
    coverages = [point[0] for point in found["risk_coverage"]]
    thresholds = [point[2] for point in found["risk_coverage"]]
    assert coverages == sorted(coverages)
    assert thresholds == sorted(thresholds, reverse=True)
