"""Few-shot examples: which training samples a chat model is shown before it is asked."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

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

    Samples are drawn in the order of the SHA-256 of seed and id: a closed question and an open one by turns, as long
    as there are both, and each about a picture that was not drawn before.

    Raises:
        DataError: when the training samples show fewer pictures than examples are wanted.
    """

    def drawn(sample: Sample) -> str:
        return hashlib.sha256(f"{seed} {sample.id}".encode()).hexdigest()

    rest = sorted(training, key=drawn)
    pictures = len({sample.image for sample in rest})
    if pictures < number:
        raise DataError(
            f"{number} examples are wanted, each about another picture, and the training samples show only "
            f"{pictures}; set model.shots to at most that."
        )
    chosen: list[Sample] = []
    for place in range(number):
        wanted = "OPEN" if place % 2 else "CLOSED"
        chosen.append(next((sample for sample in rest if sample.answer_type == wanted), rest[0]))
        rest = [sample for sample in rest if sample.image != chosen[-1].image]
    return chosen
