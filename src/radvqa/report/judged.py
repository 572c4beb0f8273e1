"""Right or wrong, question by question, by the rule of the accuracy."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from radvqa.prediction import Prediction
from radvqa.text import NORMALISERS


def is_right(prediction: Prediction, answer: str, normaliser: str) -> bool:
    """Judge an answer as the accuracy does: equal to the gold after normalisation."""
    normalise = NORMALISERS[normaliser]
    return normalise(answer) == normalise(prediction.answer)


def judged(
    predictions: Iterable[Prediction], normaliser: str, answers: Mapping[str, str] | None = None
) -> dict[str, bool]:
    """Judge many answers as ``is_right`` does; an answer that was not given is wrong.

    Args:
        predictions: the questions with their gold answers.
        normaliser: name of the normaliser of the scores.
        answers: sample id → answer of another answerer; by default the predictions' own. Questions without an answer
            are left out.
    """
    normalise = lru_cache(maxsize=1 << 16)(NORMALISERS[normaliser])
    if answers is None:
        return {p.id: not p.missing and normalise(p.prediction) == normalise(p.answer) for p in predictions}
    return {p.id: normalise(answers[p.id]) == normalise(p.answer) for p in predictions if p.id in answers}
