"""Temperature and threshold against scipy, hand computations and the conditions that an optimum fulfils."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from radvqa.errors import RadvqaError
from radvqa.prediction import Prediction
from radvqa.scoring.calibration import score_calibration, selective_threshold
from radvqa.starter.confidence import Confidence, fit


def overconfident(n: int = 400, a: int = 5, seed: int = 0) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Draw gold answers from the softmax of logits, and return three times those logits."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, a))
    gold = np.array([rng.choice(a, p=softmax(row)) for row in logits])
    return 3 * logits, gold


def likelihood(logits: npt.NDArray[Any], gold: npt.NDArray[Any], temperature: float) -> float:
    return float(-log_softmax(logits / temperature, axis=1)[np.arange(len(gold)), gold].mean())


def test_the_temperature_is_the_one_that_scipy_finds() -> None:
    logits, gold = overconfident()

    def loss(temperature: npt.NDArray[np.float64]) -> float:
        return likelihood(logits, gold, float(temperature[0]))

    reference = minimize(loss, np.array([1.0]), method="Nelder-Mead", tol=1e-10)
    found = fit(logits, gold, 0.5).temperature
    assert found == pytest.approx(reference.x[0], rel=1e-5)
    assert found == pytest.approx(3, rel=0.2)  # what the logits were multiplied by


def test_at_the_optimum_the_mean_expected_logit_is_that_of_the_gold_answers() -> None:
    """The derivative by the inverse temperature is E_p[z] − z_gold, in the mean."""
    logits, gold = overconfident(seed=1)
    said = fit(logits, gold, 0.5).of(logits)
    assert (said * logits).sum(axis=1).mean() == pytest.approx(logits[np.arange(len(gold)), gold].mean(), rel=1e-4)


def test_calibrated_confidence_means_more_than_the_raw_one() -> None:
    logits, gold = overconfident(2000)
    right = (logits.argmax(axis=1) == gold).astype(float)

    def error(probabilities: npt.NDArray[Any]) -> float:
        made = [Prediction(str(i), "?", "", "", "OPEN", confidence=float(p.max())) for i, p in enumerate(probabilities)]
        found = score_calibration(made, right)
        assert found is not None
        return float(found["ece"])

    assert error(fit(logits, gold, 0.5).of(logits)) < 0.05 < 0.15 < error(softmax(logits, axis=1))


def test_the_threshold_by_hand() -> None:
    found = selective_threshold(np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([1.0, 0, 1, 1, 0]), 0.75)
    assert found is not None
    assert (found.threshold, found.accuracy, found.coverage) == (0.6, 0.75, 0.8)


def test_answers_of_one_confidence_are_said_or_withheld_together() -> None:
    found = selective_threshold(np.array([0.9, 0.5, 0.5]), np.array([1.0, 1, 0]), 0.9)
    assert found is not None
    assert found.threshold == 0.9
    assert found.coverage == pytest.approx(1 / 3)
    assert selective_threshold(np.array([0.5, 0.5]), np.array([1.0, 0]), 0.9) is None


ANSWERS = st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans()), min_size=1, max_size=40)


@given(ANSWERS, st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_the_threshold_reaches_its_target_and_no_lower_one_does(rows: list[tuple[float, bool]], target: float) -> None:
    confidence, right = np.array([c for c, _ in rows]), np.array([float(r) for _, r in rows])
    reach = [t for t in set(confidence.tolist()) if right[confidence >= t].mean() >= target - 1e-12]
    found = selective_threshold(confidence, right, target)
    if found is None:
        assert reach == []
        return
    said = confidence >= found.threshold
    assert found.threshold == min(reach)
    assert found.coverage == pytest.approx(said.mean())
    assert found.accuracy == pytest.approx(right[said].mean())


def test_an_answer_that_the_model_does_not_know_counts_as_wrong_and_teaches_no_temperature() -> None:
    logits, gold = overconfident()
    logits[0] = [99, 0, 0, 0, 0]  # the surest of all
    gold[0] = -1
    found = fit(logits, gold, 0.8)
    assert found.temperature == pytest.approx(fit(logits[1:], gold[1:], 0.8).temperature, rel=1e-6)
    sure = found.of(logits).max(axis=1) >= found.threshold
    assert found.accuracy == pytest.approx((logits.argmax(axis=1) == gold)[sure].mean())
    assert found.accuracy >= 0.8
    assert found.coverage == pytest.approx(sure.mean())


def test_a_lower_target_answers_at_least_as_many() -> None:
    logits, gold = overconfident()
    coverages = [fit(logits, gold, target).coverage for target in (0.99, 0.95, 0.9, 0.8, 0.6)]
    assert coverages == sorted(coverages)
    assert coverages[0] < coverages[-1]


@given(st.lists(st.floats(-500, 500), min_size=2, max_size=9), st.floats(0.05, 20))
def test_probabilities_are_those_of_scipy(logits: list[float], temperature: float) -> None:
    said = Confidence(temperature, 0.5, 0.9, 0.9, 0.5).of(logits)
    np.testing.assert_allclose(said, softmax(np.array(logits) / temperature), atol=1e-12)


def test_the_threshold_itself_is_enough() -> None:
    confidence = Confidence(1, 0.625, 0.9, 0.9, 0.5)
    assert confidence.enough(0.625)
    assert not confidence.enough(0.6249)


def test_tensors_hold_everything() -> None:
    found = fit(*overconfident(), 0.8)
    assert Confidence.from_tensors({**found.tensors(), "other": np.zeros(3)}) == found


@pytest.mark.parametrize(
    ("gold", "target", "message"),
    [
        ([-1, -1], 0.9, "No question has an answer that the model knows"),
        ([0, 1], 1.5, "The wanted share of right answers is 1.5"),
        ([1, 0], 0.9, "Not even the surest answers are right in 90 %"),
    ],
)
def test_what_cannot_be_fitted_is_said(gold: list[int], target: float, message: str) -> None:
    with pytest.raises(RadvqaError, match=message):
        fit([[1.0, 0.0], [0.0, 1.0]], gold, target)
