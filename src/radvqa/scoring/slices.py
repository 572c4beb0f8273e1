"""Parts of a test set by what is asked and shown, so that a mean hides no weak part."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from radvqa.prediction import Prediction
from radvqa.scoring.statistics import IntArray
from radvqa.text import tokens

_FEWEST_LABELS = 2  # a dimension that says the same of every question cuts nothing
_ALWAYS = ("question_type",)


def slice_rows(predictions: Sequence[Prediction], golds: Sequence[str]) -> dict[str, dict[str, IntArray]]:
    """Cut predictions along every dimension that they know: dimension → label → rows.

    Args:
        predictions: the predictions; a question that a dimension knows nothing about is in none of its slices.
        golds: normalised gold answer of each, for its length.
    """
    labels: Mapping[str, Callable[[int, Prediction], str]] = {
        "question_type": lambda _, p: p.question_type,
        "answer_type": lambda _, p: p.answer_type,
        "organ": lambda _, p: p.organ,
        "modality": lambda _, p: p.modality,
        "language": lambda _, p: p.language,
        "answer_length": lambda row, _: _length(golds[row]),
        "question_seen": lambda _, p: _seen(p.question_seen),
        "answer_frequency": lambda _, p: _frequency(p.answer_count),
    }
    cut: dict[str, dict[str, IntArray]] = {}
    for dimension, label in labels.items():
        names = np.array([label(row, prediction) for row, prediction in enumerate(predictions)])
        known, inverse = np.unique(names, return_inverse=True)
        rows = {str(name): np.flatnonzero(inverse == code) for code, name in enumerate(known) if name}
        if len(rows) >= _FEWEST_LABELS or dimension in _ALWAYS:
            cut[dimension] = rows
    return cut


def _length(gold: str) -> str:
    words = len(tokens(gold))
    return "4 words or more" if words > 3 else "1 word" if words == 1 else f"{words} words"


def _seen(seen: bool | None) -> str:
    return "" if seen is None else "asked in training" if seen else "new question"


def _frequency(count: int | None) -> str:
    """Name how often training has the gold answer."""
    if count is None:
        return ""
    for limit, name in ((0, "never in training"), (9, "1 to 9 times"), (99, "10 to 99 times")):
        if count <= limit:
            return name
    return "100 times or more"
