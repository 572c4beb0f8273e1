"""Applying a published rule to predictions: each distinct question of a file is judged once."""

from collections.abc import Sequence

import numpy as np

from radvqa.prediction import Prediction
from radvqa.scoring.items import Items
from radvqa.scoring.rule import RULES, Question
from radvqa.scoring.statistics import FloatArray


def ruled(rule: str, predictions: Sequence[Prediction], items: Items) -> FloatArray:
    """Return the value that a rule gives each prediction, ``(n,)``; a missing prediction has 0.

    Args:
        rule: its name in ``RULES``.
        predictions: as given.
        items: the same predictions encoded.
    """
    judge = RULES[rule].judge(list(dict.fromkeys(p.answer for p in predictions)))
    known: dict[tuple[int, int, bool, tuple[str, ...]], float] = {}
    values = np.zeros(len(predictions))
    pairs = zip(items.raw_gold.tolist(), items.raw_prediction.tolist(), strict=True)
    for row, (p, (gold, reply)) in enumerate(zip(predictions, pairs, strict=True)):
        if p.missing:
            continue
        closed = p.answer_type == "CLOSED"
        key = (gold, reply, closed, p.options)
        found = known.get(key)
        if found is None:
            found = known[key] = judge(Question(p.answer, p.prediction, closed, p.options))
        values[row] = found
    return values
