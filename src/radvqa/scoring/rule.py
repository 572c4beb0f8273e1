"""The seam for published scoring rules: what a file of ``rules/`` must offer to be applied to any predictions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from radvqa.registry import Registry


@dataclass(frozen=True, slots=True)
class Question:
    """What a published rule sees of one answered question, as given, before any normalisation.

    Attributes:
        gold: the gold answer.
        reply: what the model answered.
        closed: whether the data set labels the question CLOSED.
        options: the choices of a multiple-choice question, else empty.
    """

    gold: str
    reply: str
    closed: bool
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A published way to decide how right an answer is.

    Attributes:
        title: how tables name it.
        meaning: what it counts, in two sentences.
        source: whose rule it is and where it was read.
        judge: makes, from the candidate answers (the distinct gold answers of the whole file), a function from a
            question to its value in [0, 1].
    """

    title: str
    meaning: str
    source: str
    judge: Callable[[Sequence[str]], Callable[[Question], float]]


RULES: Registry[Rule] = Registry("radvqa.scoring.rules", "RULE")
