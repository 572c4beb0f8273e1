"""Few-shot examples: which training samples a chat model is shown before it is asked."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from radvqa.errors import DataError
from radvqa.sample import Sample


@dataclass(frozen=True)
class Shot:
    """A question that was answered.

    Attributes:
        prompt: as the model is asked.
        answer: as published.
        picture: a data URI; empty when the example is text only.
    """

    prompt: str
    answer: str
    picture: str = ""


def choose_shots(training: Sequence[Sample], number: int, seed: int) -> list[Sample]:
    """Choose examples by a rule that does not depend on the order of the samples or on the machine.

    Samples are ordered by the SHA-256 of seed and id; of each picture the first one stays; closed and open questions
    are then taken by turns, as long as there are both.

    Raises:
        DataError: when the training samples show fewer pictures than examples are wanted.
    """

    def drawn(sample: Sample) -> str:
        return hashlib.sha256(f"{seed} {sample.id}".encode()).hexdigest()

    one_each: dict[str, Sample] = {}
    for sample in sorted(training, key=drawn):
        one_each.setdefault(sample.image, sample)
    if len(one_each) < number:
        raise DataError(
            f"{number} examples are wanted, each about another picture, and the training samples show only "
            f"{len(one_each)}; set model.shots to at most that."
        )
    closed = [sample for sample in one_each.values() if sample.answer_type == "CLOSED"]
    open_ = [sample for sample in one_each.values() if sample.answer_type == "OPEN"]
    by_turns = chain.from_iterable(zip_longest(closed, open_))
    return [sample for sample in by_turns if sample is not None][:number]
