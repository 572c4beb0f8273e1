"""The questions that an expert is asked to judge, and why each was chosen."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from radvqa.diagnosing.material import Material
from radvqa.diagnosing.ranking import Failing
from radvqa.diagnosing.reasons import Reasoned

MOST = 60
_GROUPS = 6  # of the ranking that give questions
_EACH = 3  # questions of each
_REASONED = 8  # of each list of answers that do not go with their maps
_CONFIDENT = 8

VERDICTS = {
    "model-wrong": "The model is wrong.",
    "gold-wrong": "The stored answer is wrong.",
    "both-acceptable": "Both answers are acceptable.",
    "question-unclear": "The question cannot be answered as it is put.",
    "image-unclear": "The picture does not show it well enough.",
}
"""What an expert may say about a question."""

COUNTED = "drawn at random from the wrong answers"
"""Why of the rows from which shares of all wrong answers may be estimated; the others were chosen."""


@dataclass(frozen=True)
class Row:
    """A question on the sheet.

    Attributes:
        id: of the question.
        image: the picture's name.
        question: as asked.
        gold: as stored.
        prediction: the model's answer.
        confidence: of the model; None when it gives none.
        why: it is on the sheet; several reasons are parted by semicolons.
    """

    id: str
    image: str
    question: str
    gold: str
    prediction: str
    confidence: float | None
    why: str


def sheet(material: Material, failing: Sequence[Failing], reasoned: Reasoned, most: int = MOST) -> list[Row]:
    """Choose the questions of a sheet.

    Examples of the surest groups, answers that do not go with their maps, mistakes that the model is sure of, and wrong
    answers at random, which are a third of the sheet at least and fill it. The same answers give the same sheet.
    """
    reasons: dict[int, list[str]] = {}
    chosen = max(0, most - max(1, most // 3))
    for row, why in _pointed_at(material, failing, reasoned):
        if row in reasons or len(reasons) < chosen:
            reasons.setdefault(row, []).append(why)
    wrong = [int(row) for row in np.flatnonzero(material.right == 0)]
    # drawn from all wrong answers, also those that are on the sheet already: else what was chosen would be missing
    for row in sorted(wrong, key=lambda row: _draw(material.predictions[row].id)):
        if len(reasons) >= most and row not in reasons:
            break
        reasons.setdefault(row, []).append(COUNTED)
    return [
        _row(material, row, why) for row, why in sorted(reasons.items(), key=lambda item: _order(material, item[0]))
    ]


def examples(material: Material, rows: Iterable[int], most: int) -> list[int]:
    """Choose wrong answers to show: of different pictures first, those that the model is surest of first."""
    wrong = [int(row) for row in rows if not material.right[row]]
    wrong.sort(key=lambda row: (-(material.predictions[row].confidence or 0.0), _draw(material.predictions[row].id)))
    seen: set[str] = set()
    fresh: list[int] = []
    again: list[int] = []
    for row in wrong:
        image = material.predictions[row].image
        (again if image in seen else fresh).append(row)
        seen.add(image)
    return [*fresh, *again][:most]


def _pointed_at(material: Material, failing: Sequence[Failing], reasoned: Reasoned) -> Iterator[tuple[int, str]]:
    for one in [one for one in failing if one.sure and one.new_wrong][:_GROUPS]:
        for row in examples(material, one.group.rows, _EACH):
            yield row, f"group: {one.group.title}"
    for row in reasoned.right_off_target[:_REASONED]:
        yield row, "right, but the map lies off target"
    for row in reasoned.wrong_on_target[:_REASONED]:
        yield row, "wrong, although the map lies on target"
    if any(p.confidence is not None for p in material.predictions):
        for row in examples(material, range(len(material)), _CONFIDENT):
            yield row, "wrong, and the model is sure of it"


def _row(material: Material, row: int, why: Sequence[str]) -> Row:
    p = material.predictions[row]
    return Row(p.id, p.image, p.question, p.answer, p.prediction, p.confidence, "; ".join(why))


def _order(material: Material, row: int) -> tuple[str, str]:
    """Questions about one picture together: who judges looks once."""
    p = material.predictions[row]
    return p.image, p.id


def _draw(text: str) -> str:
    return hashlib.sha256(f"sheet {text}".encode()).hexdigest()
