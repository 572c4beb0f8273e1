"""Predictions as columns of numbers: equal texts have equal codes, so that each distinct pair is compared once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from radvqa.errors import DataError
from radvqa.prediction import Prediction
from radvqa.sample import cluster_of
from radvqa.scoring.statistics import FloatArray, IntArray
from radvqa.text import Normaliser

Compare = Callable[[str, str], float] | Callable[[str, str], tuple[float, ...]]

CANDIDATES = 10  # as many as a prediction may hold

_NOTHING = "\x00"  # stands for a missing prediction: no gold answer equals it, not even an empty one


@dataclass(frozen=True, eq=False)
class Items:
    """What metrics see: one row per answered question.

    Attributes:
        texts: normalised text by code.
        gold: code of each gold answer.
        prediction: code of each predicted answer.
        raw_texts: text as given, by raw code.
        raw_gold: raw code of each gold answer.
        raw_prediction: raw code of each predicted answer.
        candidates: codes of the candidates of each item, best first, n × 10; -1 where there are fewer.
        closed: whether each item is a CLOSED question.
        cluster: code of what each item is about: its case, else its image, else itself.
        rows: place of each item in the whole that it was selected from.
        compared: what ``per_pair`` has found for the whole, shared by all selections.
        whole: the items that these were selected from; None for all.
    """

    texts: Sequence[str]
    gold: IntArray
    prediction: IntArray
    raw_texts: Sequence[str]
    raw_gold: IntArray
    raw_prediction: IntArray
    candidates: IntArray
    closed: NDArray[np.bool_]
    cluster: IntArray
    rows: IntArray
    compared: dict[Compare, FloatArray] = field(default_factory=dict)
    whole: "Items | None" = None

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: IntArray) -> "Items":
        """Select rows; the texts, their codes and what was compared stay."""
        columns = ("gold", "prediction", "raw_gold", "raw_prediction", "candidates", "closed", "cluster", "rows")
        taken = {column: getattr(self, column)[rows] for column in columns}
        return replace(self, whole=self.whole or self, **taken)


def items_of(predictions: Sequence[Prediction], normaliser: Normaliser, answers: Sequence[str] | None = None) -> Items:
    """Normalise and encode predictions.

    Args:
        predictions: in any order.
        normaliser: of gold, prediction and candidates alike.
        answers: answers of another answerer to the same questions, in the same order; it has no candidates.
    """
    raw, normalised = _Codes(), _Codes()
    by_raw: list[int] = []  # normalised code of each raw code: a distinct text is normalised once

    def code(text: str) -> int:
        known = raw.of(text)
        if known == len(by_raw):
            by_raw.append(normalised.of(_NOTHING if text == _NOTHING else normaliser(text)))
        return known

    raw_gold = np.array([code(p.answer) for p in predictions], dtype=np.intp)
    answered = [_NOTHING if p.missing else p.prediction for p in predictions] if answers is None else answers
    raw_prediction = np.array([code(answer) for answer in answered], dtype=np.intp)
    candidates = np.full((len(predictions), CANDIDATES), -1, dtype=np.intp)
    if answers is None:
        for row, prediction in enumerate(predictions):
            for rank, (candidate, _) in enumerate(prediction.candidates[:CANDIDATES]):
                candidates[row, rank] = by_raw[code(candidate)]
    meaning = np.array(by_raw, dtype=np.intp)
    return Items(
        texts=list(normalised.known),
        gold=meaning[raw_gold],
        prediction=meaning[raw_prediction],
        raw_texts=["" if text == _NOTHING else text for text in raw.known],
        raw_gold=raw_gold,
        raw_prediction=raw_prediction,
        candidates=candidates,
        closed=np.array([p.answer_type == "CLOSED" for p in predictions]),
        cluster=_clusters(predictions),
        rows=np.arange(len(predictions)),
    )


def in_order(predictions: Sequence[Prediction]) -> list[Prediction]:
    """Sort predictions by id, because the bootstrap numbers clusters as they come.

    Raises:
        DataError: when there are none, or an id is repeated.
    """
    if not predictions:
        raise DataError("There are no predictions to score.")
    ordered = sorted(predictions, key=lambda p: p.id)
    for one, other in pairwise(ordered):
        if one.id == other.id:
            raise DataError(f"The id {one.id!r} is used by two predictions; each question is scored once.")
    return ordered


def subset_rows(items: Items) -> dict[str, IntArray]:
    """Return the rows of ``overall``, ``open`` and ``closed``; an empty subset is left out."""
    rows = {
        "overall": np.arange(len(items)),
        "open": np.flatnonzero(~items.closed),
        "closed": np.flatnonzero(items.closed),
    }
    return {subset: chosen for subset, chosen in rows.items() if len(chosen)}


def per_pair(items: Items, compare: Compare, *, raw: bool = False) -> FloatArray:
    """Compare gold and predicted text of every item, each distinct pair once: ``(n,)``, or ``(n, k)`` of k numbers.

    Args:
        items: the items; what was compared for the whole serves every selection of it.
        compare: gold text, predicted text → a number or k numbers; always with the same ``raw``.
        raw: compare the texts as given instead of the normalised ones.
    """
    whole = items.whole or items
    if compare not in whole.compared:
        codes = (whole.raw_gold, whole.raw_prediction) if raw else (whole.gold, whole.prediction)
        texts = whole.raw_texts if raw else whole.texts
        pairs, inverse = distinct_pairs(*codes)
        numbers = [compare(texts[gold], texts[answer]) for gold, answer in pairs.tolist()]
        whole.compared[compare] = np.array(numbers, dtype=np.float64)[inverse]
    return whole.compared[compare][items.rows]


def distinct_pairs(gold: IntArray, prediction: IntArray) -> tuple[IntArray, IntArray]:
    """Return the distinct pairs of codes, ``(pairs, 2)``, and the pair of every item, ``(n,)``."""
    width = int(max(gold.max(initial=0), prediction.max(initial=0))) + 1
    keys, inverse = np.unique(gold * width + prediction, return_inverse=True)
    return np.stack([keys // width, keys % width], axis=1), inverse


class _Codes:
    """Text → code, in the order in which texts first came."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def of(self, text: str) -> int:
        return self.known.setdefault(text, len(self.known))


def _clusters(predictions: Sequence[Prediction]) -> IntArray:
    codes: dict[tuple[str, str], int] = {}
    keys = ((cluster_of(p.image, p.case), "" if p.image or p.case else p.id) for p in predictions)
    return np.array([codes.setdefault(key, len(codes)) for key in keys], dtype=np.intp)
