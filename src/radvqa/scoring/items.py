"""Predictions as columns of numbers: equal normalised texts have equal codes, so that metrics compare integers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radvqa.prediction import Prediction
from radvqa.sample import cluster_of
from radvqa.scoring.statistics import IntArray
from radvqa.text import Normaliser

CANDIDATES = 5  # of the ten that a prediction may hold, these count


@dataclass(frozen=True, eq=False)
class Items:
    """What metrics see: one row per answered question.

    Attributes:
        texts: normalised text by code.
        gold: code of each gold answer.
        prediction: code of each predicted answer.
        candidates: codes of the first five candidates of each item, n × 5; -1 where there are fewer.
        cluster: code of what each item is about: its case, else its image, else itself.
    """

    texts: Sequence[str]
    gold: IntArray
    prediction: IntArray
    candidates: IntArray
    cluster: IntArray

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: IntArray) -> "Items":
        """Select rows; the texts and their codes stay."""
        return Items(self.texts, self.gold[rows], self.prediction[rows], self.candidates[rows], self.cluster[rows])


def items_of(predictions: Sequence[Prediction], normaliser: Normaliser, answers: Sequence[str] | None = None) -> Items:
    """Normalise and encode predictions.

    Args:
        predictions: in any order.
        normaliser: of gold, prediction and candidates alike.
        answers: answers of another answerer to the same questions, in the same order; it has no candidates.
    """
    codes = _Codes(normaliser)
    answered = [p.prediction for p in predictions] if answers is None else answers
    candidates = np.full((len(predictions), CANDIDATES), -1, dtype=np.intp)
    if answers is None:
        for row, prediction in enumerate(predictions):
            for rank, (candidate, _) in enumerate(prediction.candidates[:CANDIDATES]):
                candidates[row, rank] = codes.of(candidate)
    return Items(
        gold=np.array([codes.of(p.answer) for p in predictions], dtype=np.intp),
        prediction=np.array([codes.of(answer) for answer in answered], dtype=np.intp),
        candidates=candidates,
        cluster=_clusters(predictions),
        texts=codes.texts,
    )


class _Codes:
    """Text → code; each distinct text is normalised once."""

    def __init__(self, normaliser: Normaliser) -> None:
        self.normaliser = normaliser
        self.by_raw: dict[str, int] = {}
        self.by_text: dict[str, int] = {}

    @property
    def texts(self) -> list[str]:
        return list(self.by_text)

    def of(self, raw: str) -> int:
        code = self.by_raw.get(raw)
        if code is None:
            code = self.by_raw[raw] = self.by_text.setdefault(self.normaliser(raw), len(self.by_text))
        return code


def _clusters(predictions: Sequence[Prediction]) -> IntArray:
    codes: dict[tuple[str, str], int] = {}
    keys = ((cluster_of(p.image, p.case), "" if p.image or p.case else p.id) for p in predictions)
    return np.array([codes.setdefault(key, len(codes)) for key in keys], dtype=np.intp)
