"""Question by question: what the page's script needs to show where models differ, as one block of inert JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from radvqa.prediction import Prediction
from radvqa.report.comparison import Comparison
from radvqa.report.scored import Scored
from radvqa.report.thumbnails import MOST, Thumbnails, thumbnails

_LONGEST = 2000  # letters of a text that the page holds; an answer of a megabyte would be read by nobody


def browser(comparison: Comparison, most: int = MOST) -> dict[str, Any]:
    """Prepare the questions that all runs answered.

    Args:
        comparison: the runs.
        most: characters for the pictures.

    Returns:
        ``data`` and ``pictures``, each JSON that is safe inside a script element; ``questions``; ``not_shared``, how
        many questions of the first run another one lacks; ``thumbnails``.
    """
    first = comparison.runs[0]
    asked = shared(comparison)
    found = thumbnails(comparison.runs, _by_disagreement(asked, comparison.runs), most)
    return {
        "data": inert_json(_columns(asked, comparison, found)),
        "pictures": inert_json(list(found.pictures.values())),
        "questions": len(asked),
        "not_shared": len(first.predictions) - len(asked),
        "thumbnails": found,
    }


def shared(comparison: Comparison) -> list[Prediction]:
    """Return the questions of the first run that every other one answered too."""
    first, *others = comparison.runs
    return [p for p in first.predictions.values() if all(_same(p, run) for run in others)]


def _same(asked: Prediction, run: Scored) -> bool:
    other = run.predictions.get(asked.id)
    return other is not None and (other.question, other.answer) == (asked.question, asked.answer)


def _by_disagreement(asked: Sequence[Prediction], runs: Sequence[Scored]) -> list[str]:
    """Order the images by their questions that some answer rightly and others not, then by any mistakes."""
    differing: Counter[str] = Counter()
    mistakes: Counter[str] = Counter()
    for prediction in asked:
        if prediction.image:
            rights = sum(run.right[prediction.id] for run in runs)
            differing[prediction.image] += 0 < rights < len(runs)
            mistakes[prediction.image] += rights < len(runs)
    return sorted(differing, key=lambda image: (-differing[image], -mistakes[image], image))


def _columns(asked: Sequence[Prediction], comparison: Comparison, found: Thumbnails) -> dict[str, Any]:
    """Lay the questions out in columns whose texts are numbered, so that each distinct text is there once."""
    runs, texts = comparison.runs, _Texts()
    places = {name: place for place, name in enumerate(found.pictures)}
    answered = [[run.predictions[p.id] for p in asked] for run in runs]
    return {
        "runs": [run.name for run in runs],
        "groups": [
            {"name": group.label, "runs": [runs.index(run) for run in group.runs]} for group in comparison.groups
        ],
        "columns": {
            "id": [texts.number(p.id) for p in asked],
            "question": [texts.number(p.question) for p in asked],
            "truth": [texts.number(p.answer) for p in asked],
            "image": [texts.number(p.image) for p in asked],
            "kind": [texts.number(p.question_type) for p in asked],
            "organ": [texts.number(p.organ) for p in asked],
            "modality": [texts.number(p.modality) for p in asked],
            "type": [texts.number(p.answer_type.lower()) for p in asked],
        },
        "picture": [places.get(p.image, -1) for p in asked],
        "answers": [[texts.number(p.prediction) for p in of_run] for of_run in answered],
        "right": ["".join("1" if run.right[p.id] else "0" for p in asked) for run in runs],
        "confidence": [[-1 if p.confidence is None else round(100 * p.confidence) for p in run] for run in answered],
        "texts": texts.known,
    }


class _Texts:
    """Text → number, in the order in which texts first came."""

    def __init__(self) -> None:
        self.known: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.known)
            cut = len(text) > _LONGEST
            self.known.append(f"{text[:_LONGEST]}… ({len(text):,} characters)" if cut else text)
        return found


def inert_json(value: Any) -> str:
    """Write JSON that can stand inside a script element: no text in it can end the element or begin a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign, code in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(sign, code)
    return text
