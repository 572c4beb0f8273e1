"""How far reviewers of pairs agree, beyond what chance would bring."""

from collections import defaultdict
from collections.abc import Sequence

from radvqa.reviewing.decision import Decision
from radvqa.scoring.raters import Agreement, between


def agreements(decisions: Sequence[Decision]) -> list[Agreement]:
    """Compare every two reviewers who judged a pair both."""
    verdicts: dict[str, dict[str, str]] = defaultdict(dict)
    for decision in decisions:
        if decision.verdict != "skip":
            verdicts[decision.reviewer][decision.pair] = decision.verdict
    return between(verdicts)
