"""A predictions file beside a run that answered the same questions: the run says what each question is about."""

from collections.abc import Sequence
from dataclasses import replace

from radvqa.prediction import Prediction

_LABELS = ("question_type", "image", "case", "organ", "modality", "twin", "options")


def lay_beside(given: Sequence[Prediction], asked: Sequence[Prediction]) -> tuple[list[Prediction], list[str]] | None:
    """Fill labels that a file lacks, and count the questions that it leaves out as wrong.

    Args:
        given: a file's predictions.
        asked: a run's predictions, to take question, gold answer and labels from.

    Returns:
        The file's answers to the run's questions, and sentences about what was done; None where the file has an id
        that the run has not, another question or gold answer under the same id, or less than half of the questions.
    """
    known = {p.id: p for p in asked}
    answered = {p.id: p for p in given}
    if not answered.keys() <= known.keys() or 2 * len(answered) < len(known):
        return None
    if any((p.question, p.answer) != (known[p.id].question, known[p.id].answer) for p in given):
        return None
    joined, filled = [], 0
    for gold in asked:
        prediction = answered.get(gold.id)
        if prediction is None:
            joined.append(_missing(gold))
            continue
        lacking = {label: getattr(gold, label) for label in _LABELS if not getattr(prediction, label)}
        filled += any(lacking.values())
        joined.append(replace(prediction, answer_type=gold.answer_type, language=gold.language, **lacking))
    said = ["Picture names and labels that the file lacks are those of the run beside it."]
    return joined, said if filled else []


def _missing(gold: Prediction) -> Prediction:
    nothing = {"answer_seen": None, "answer_count": None, "question_seen": None}
    return replace(gold, prediction="", confidence=None, candidates=(), missing=True, **nothing)
