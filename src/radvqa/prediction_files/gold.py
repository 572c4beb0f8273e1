"""Answers in one file, questions and gold answers in another: joined by id, else by image and question."""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from radvqa.errors import DataError
from radvqa.prediction import Prediction

Key = Callable[[Prediction], tuple[str, ...]]


def by_id(prediction: Prediction) -> tuple[str, ...]:
    """Return the id."""
    return (prediction.id,)


def by_image_and_question(prediction: Prediction) -> tuple[str, ...]:
    """Return image and question, spaces around them aside."""
    return prediction.image.strip(), prediction.question.strip()


def join(
    answered: Sequence[Prediction], gold: Sequence[Prediction], *, key: Key, source: str, gold_source: str
) -> tuple[list[Prediction], list[str]]:
    """Lay answers beside the gold answers to the same questions, in the order of the gold.

    Args:
        answered: what a model answered; their own gold answers do not count.
        gold: every question of the test set once.
        key: what makes a question the same on both sides; where several golds share it they are taken in order.
        source: names the file of answers in messages.
        gold_source: names the gold in messages.

    Returns:
        One prediction per question of the gold, and notes; a question without an answer is missing.

    Raises:
        DataError: when an answer belongs to no question of the gold, or two belong to the same.
    """
    waiting: dict[tuple[str, ...], deque[int]] = defaultdict(deque)
    for row, question in enumerate(gold):
        waiting[key(question)].append(row)
    found: dict[int, Prediction] = {}
    for answer in answered:
        rows = waiting.get(key(answer))
        named = " and ".join(map(repr, key(answer)))
        if rows is None:
            raise DataError(f"{source}: {named} is not among the {len(gold)} questions of {gold_source}.")
        if not rows:
            raise DataError(f"{source}: {named} is answered more often than {gold_source} asks it.")
        found[rows.popleft()] = answer
    joined = [_beside(question, found.get(row)) for row, question in enumerate(gold)]
    return joined, _notes(gold, found, gold_source)


def _beside(question: Prediction, answer: Prediction | None) -> Prediction:
    if answer is None:
        return replace(question, prediction="", missing=True, confidence=None, candidates=())
    return replace(
        question,
        prediction=answer.prediction,
        missing=answer.missing,
        confidence=answer.confidence,
        candidates=answer.candidates,
        options=question.options or answer.options,
    )


def _notes(gold: Sequence[Prediction], found: dict[int, Prediction], gold_source: str) -> list[str]:
    notes = []
    if len(found) < len(gold):
        notes.append(
            f"{len(gold) - len(found)} of the {len(gold)} questions of {gold_source} have no answer; "
            f"they count as wrong."
        )
    differing = sum(bool(answer.answer) and answer.answer != gold[row].answer for row, answer in found.items())
    if differing:
        notes.append(f"{differing} gold answers differ between the files; those of {gold_source} are used.")
    return notes
