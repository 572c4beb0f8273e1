"""What the other splits share with training, and what training never saw."""

from collections.abc import Iterable, Sequence
from typing import Any

from radvqa.data.explore.split import vocabulary
from radvqa.data.explore.texts import Texts
from radvqa.sample import ANSWER_TYPES, Sample

_EXAMPLES = 5


class Training:
    """What a training split holds, to compare other splits with.

    Args:
        samples: its rows.
        texts: measures texts under the data set's normaliser.
    """

    def __init__(self, samples: Sequence[Sample], texts: Texts) -> None:
        self._texts = texts
        self._answers = {texts.of(sample.answer).normalised for sample in samples}
        self._questions = {sample.question for sample in samples}
        self._normalised = {texts.of(question).normalised for question in self._questions}
        self._asked = {(sample.image, sample.question) for sample in samples}
        self._words = vocabulary(samples, texts)

    def against(self, samples: Sequence[Sample]) -> dict[str, Any]:
        """Compare a split with training.

        Returns:
            ``unseen_answers``: rows (in all and by answer type) whose normalised answer training does not have, the
            number of distinct ones, and a few as published; ``questions_seen``: rows whose question is in training
            letter by letter, and after normalisation; ``pairs_seen``: those that ask it about the same picture;
            ``new_words``: distinct question tokens that training does not have.
        """
        asking = [sample for sample in samples if sample.question]
        unseen = [s for s in samples if self._texts.of(s.answer).normalised not in self._answers]
        return {
            "rows": len(samples),
            "unseen_answers": {
                "rows": len(unseen),
                **{kind: sum(sample.answer_type == kind for sample in unseen) for kind in ANSWER_TYPES},
                "distinct": len({self._texts.of(sample.answer).normalised for sample in unseen}),
                "examples": _first(sample.answer for sample in unseen),
            },
            "questions_seen": {
                "verbatim": sum(sample.question in self._questions for sample in asking),
                "normalised": sum(self._texts.of(s.question).normalised in self._normalised for s in asking),
            },
            "pairs_seen": sum((sample.image, sample.question) in self._asked for sample in asking),
            "new_words": len(vocabulary(samples, self._texts) - self._words),
        }


def training_split(splits: Sequence[str]) -> str | None:
    """Return the split that models learn from: ``train``, else the first whose name begins so, else none."""
    if "train" in splits:
        return "train"
    return next((split for split in splits if split.startswith("train")), None)


def _first(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))[:_EXAMPLES]
