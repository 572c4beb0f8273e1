"""A pair as a reply holds it, before anything is known of picture or case."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """One question with its answer.

    Attributes:
        question: as written, without label, number and emphasis.
        answer: as written; of a choice the text of the right option.
        options: of a choice, in the order written; else empty.
        whole: whether the answer has an end; the last one of a reply that was cut off has none.
    """

    question: str
    answer: str
    options: tuple[str, ...] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was read from a reply.

    Attributes:
        pairs: in order.
        form: ``json``, ``labelled``, ``plain`` or ``text``; ``nothing`` when no pair was found, ``prompt`` where the
            reply is the prompt.
        unanswered: questions without an answer.
    """

    pairs: tuple[Written, ...]
    form: str
    unanswered: int = 0
