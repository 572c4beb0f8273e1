"""What a reviewer may decide about a pair."""

from dataclasses import dataclass
from typing import Literal, get_args

Verdict = Literal["pass", "discard", "skip"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

REASONS = {
    "wrong": "The answer is wrong.",
    "unseen": "The picture does not show it.",
    "unclear": "The question is unclear.",
    "trivial": "Nothing is learned from it.",
    "private": "It tells something about the person.",
    "language": "The language is bad.",
}
"""Tags that say why, by name."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of one reviewer.

    Attributes:
        pair: its id.
        reviewer: who.
        verdict: ``pass``, ``discard``, or ``skip``: somebody else shall decide.
        question: as the reviewer would have it; None where it stays.
        answer: as the reviewer would have it; None where it stays.
        reasons: names of tags.
        token: made by the page for each decision, so that the same one sent twice counts once.
        at: seconds since 1970, by the server's clock.
    """

    pair: str
    reviewer: str
    verdict: Verdict
    question: str | None = None
    answer: str | None = None
    reasons: tuple[str, ...] = ()
    token: str = ""
    at: float = 0.0
