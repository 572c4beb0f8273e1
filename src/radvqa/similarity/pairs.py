"""Which texts are compared: every answer with its gold, and with the gold of an unrelated question."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from radvqa.prediction import Prediction
from radvqa.scoring.statistics import FloatArray, IntArray
from radvqa.similarity.encoders import Compare


@dataclass(frozen=True, eq=False)
class Texts:
    """Answers as rows of distinct texts.

    Attributes:
        distinct: the texts, outer blanks dropped; a missing prediction is the empty text.
        gold: row of every gold answer, ``(n,)``.
        answer: row of every prediction, ``(n,)``.
    """

    distinct: Sequence[str]
    gold: IntArray
    answer: IntArray

    @cached_property
    def said(self) -> NDArray[np.bool_]:
        """Whether each distinct text says anything."""
        return np.array([bool(text) for text in self.distinct])


def texts_of(predictions: Sequence[Prediction]) -> Texts:
    """Find the distinct texts of predictions."""
    rows: dict[str, int] = {}
    gold = [rows.setdefault(p.answer.strip(), len(rows)) for p in predictions]
    answer = [rows.setdefault("" if p.missing else p.prediction.strip(), len(rows)) for p in predictions]
    return Texts(list(rows), np.array(gold, dtype=np.intp), np.array(answer, dtype=np.intp))


def other_items(gold: IntArray, random: np.random.Generator) -> IntArray | None:
    """Draw for every item another one whose gold differs, ``(n,)``; None when all golds are the same.

    Every item with another gold is equally likely, so frequent golds are drawn as often as they occur.

    Args:
        gold: code of every gold answer, ``(n,)``.
        random: decides the draw.
    """
    order = np.argsort(gold, kind="stable")  # equal golds stand in one block
    codes, first, many = np.unique(gold[order], return_index=True, return_counts=True)
    if len(codes) == 1:
        return None
    block = np.searchsorted(codes, gold)
    drawn = random.integers(0, len(gold) - many[block])  # a place, counted without the item's own block
    others: IntArray = order[drawn + np.where(drawn >= first[block], many[block], 0)]
    return others


def compare_lists(compare: Compare, texts: Texts, lists: Sequence[tuple[IntArray, IntArray]]) -> list[FloatArray]:
    """Compare lists of ``(gold rows, answer rows)``; each distinct pair of texts once, every text encoded once.

    Returns:
        For every list its values, ``(n, columns)``: 0 where the answer is empty, NaN where the gold is.
    """
    every = np.concatenate([np.stack(columns, axis=1) for columns in lists])
    pairs, inverse = np.unique(every, axis=0, return_inverse=True)
    full = texts.said[pairs].all(axis=1)
    used, rows = np.unique(pairs[full], return_inverse=True)
    compared = compare([texts.distinct[row] for row in used], rows.reshape(-1, 2))
    values = np.zeros((len(pairs), compared.shape[1]))
    values[full] = compared
    values[~texts.said[pairs[:, 0]]] = np.nan
    ends = np.cumsum([len(gold) for gold, _ in lists])
    return np.split(values[inverse.ravel()], ends[:-1])
