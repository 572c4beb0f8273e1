"""How sure an answer is, and whether that is sure enough to say it; answering needs numpy alone.

Letters: ``n`` questions, ``a`` answers that the model knows.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from radvqa.errors import RadvqaError

_TENSOR = "confidence"
_COLDEST, _HOTTEST = 0.01, 100.0


@dataclass(frozen=True)
class Confidence:
    """One temperature and one threshold, both chosen on questions that the model was not trained on.

    Attributes:
        temperature: what logits are divided by before the softmax.
        threshold: lowest probability with which an answer is said.
        target: share of right answers among those said that was asked for.
        accuracy: the share that was found where the threshold was chosen.
        coverage: share of the questions there that are answered.
    """

    temperature: float
    threshold: float
    target: float
    accuracy: float
    coverage: float

    def of(self, logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Turn logits into probabilities, ``(…, a)``.

        Source: C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 9.
        """
        scaled = np.asarray(logits, dtype=np.float64) / self.temperature
        raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        probabilities: npt.NDArray[np.float64] = raised / raised.sum(axis=-1, keepdims=True)
        return probabilities

    def enough(self, probability: float) -> bool:
        """Tell whether an answer of this probability is said."""
        return probability >= self.threshold

    def tensors(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return everything as arrays by name, to be kept in a safetensors file."""
        return {_TENSOR: np.array(astuple(self))}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Any]) -> "Confidence":
        """Undo ``tensors``; other names are left aside."""
        return cls(*(float(value) for value in tensors[_TENSOR]))


def fit(logits: npt.ArrayLike, gold_index: npt.ArrayLike, target: float) -> Confidence:
    """Choose temperature and threshold.

    The temperature minimises the mean negative log likelihood of the gold answers that the model knows; it changes no
    answer. The threshold is the lowest at which the answers said reach the target, a gold answer that the model does
    not know counting as wrong.

    Args:
        logits: of validation questions, ``(n, a)``.
        gold_index: place of the right answer, ``(n,)``; −1 where the model does not know it.
        target: wanted share of right answers among those said, in (0, 1].

    Raises:
        RadvqaError: when no gold answer is known, or when no threshold reaches the target.

    Source: Guo et al. 2017, section 4.2; Y. Geifman, R. El-Yaniv, Selective Classification for Deep Neural Networks,
    NeurIPS 2017, section 2 (coverage and selective risk; the threshold here is the empirical one, without their bound).
    """
    from radvqa.scoring.calibration import selective_threshold

    scores, gold = np.asarray(logits, dtype=np.float64), np.asarray(gold_index, dtype=np.intp)
    known = gold >= 0
    if not known.any():
        raise RadvqaError("No question has an answer that the model knows, so its confidence cannot be calibrated.")
    if not 0 < target <= 1:
        raise RadvqaError(f"The wanted share of right answers is {target:g}; it lies above 0 and at most at 1.")
    temperature = _temperature(scores[known], gold[known])
    probabilities = Confidence(temperature, 0, target, 0, 0).of(scores)
    right = (probabilities.argmax(axis=1) == gold).astype(np.float64)
    found = selective_threshold(probabilities.max(axis=1), right, target)
    if found is None:
        raise RadvqaError(
            f"Not even the surest answers are right in {100 * target:g} % of the cases; ask for a lower share."
        )
    return Confidence(temperature, found.threshold, target, found.accuracy, found.coverage)


def _temperature(logits: npt.NDArray[np.float64], gold: npt.NDArray[np.intp]) -> float:
    """Minimise the negative log likelihood, which is convex in the inverse temperature."""
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    of_gold = logits[np.arange(len(gold)), gold]

    def loss(inverse: float) -> float:
        return float(np.mean(logsumexp(inverse * logits, axis=1) - inverse * of_gold))

    found = minimize_scalar(loss, bounds=(1 / _HOTTEST, 1 / _COLDEST), method="bounded", options={"xatol": 1e-9})
    return float(1 / found.x)
