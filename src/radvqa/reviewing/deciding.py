"""What reviewers decided, put into the pairs."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from radvqa.curating.pair import Pair
from radvqa.reviewing.agreement import agreements
from radvqa.reviewing.decision import Decision

DISCARDED = "discarded"
DISPUTED = "disputed"
UNREVIEWED = "unreviewed"
"""Reasons of leaving out: a reviewer's, reviewers who disagree, and nobody having looked."""


@dataclass(frozen=True)
class Reviewed:
    """The outcome.

    Attributes:
        pairs: all of them.
        statistics: what cards tell; see ``statistics``.
    """

    pairs: list[Pair]
    statistics: dict[str, Any]


def apply(pairs: Sequence[Pair], decisions: Sequence[Decision], *, keep_unreviewed: bool = False) -> Reviewed:
    """Put decisions into pairs: a pair stays when everybody who judged it passed it.

    Of several changed wordings the latest counts. Pairs that rules took out stay out.

    Args:
        pairs: of the table.
        decisions: that hold.
        keep_unreviewed: keep pairs that nobody judged.
    """
    by_pair: dict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.verdict != "skip":
            by_pair[decision.pair].append(decision)
    decided = [
        pair
        if pair.dropped not in ("", DISCARDED, DISPUTED, UNREVIEWED)
        else _decided(pair, by_pair.get(pair.id, []), keep_unreviewed=keep_unreviewed)
        for pair in pairs
    ]
    return Reviewed(decided, statistics(decided, decisions))


def _decided(pair: Pair, said: Sequence[Decision], *, keep_unreviewed: bool) -> Pair:
    verdicts = {decision.verdict for decision in said}
    if not said:
        return replace(pair, dropped="" if keep_unreviewed else UNREVIEWED)
    if verdicts == {"discard"}:
        return replace(pair, dropped=DISCARDED)
    if verdicts != {"pass"}:
        return replace(pair, dropped=DISPUTED)
    original = pair.edited or (pair.question, pair.answer)
    question = next((d.question for d in reversed(said) if d.question is not None), original[0])
    answer = next((d.answer for d in reversed(said) if d.answer is not None), original[1])
    changed = (question, answer) != original
    return replace(pair, question=question, answer=answer, edited=original if changed else (), dropped="")


def statistics(pairs: Sequence[Pair], decisions: Sequence[Decision]) -> dict[str, Any]:
    """Count what reviewers did.

    Returns:
        ``reviewers``, verdicts by name of the reviewer; ``passed``, ``discarded``, ``disputed``, ``unreviewed`` and
        ``edited`` pairs; ``reasons``, tags of discarded ones; ``agreement``, of every two reviewers.
    """
    reviewers: dict[str, Counter[str]] = defaultdict(Counter)
    for decision in decisions:
        reviewers[decision.reviewer][decision.verdict] += 1
    outcome = Counter(pair.dropped for pair in pairs)
    judged = {decision.pair for decision in decisions if decision.verdict != "skip"}
    return {
        "reviewers": {name: dict(sorted(counts.items())) for name, counts in sorted(reviewers.items())},
        "passed": sum(not pair.dropped and pair.id in judged for pair in pairs),
        "discarded": outcome[DISCARDED],
        "disputed": outcome[DISPUTED],
        "unreviewed": outcome[UNREVIEWED],
        "edited": sum(bool(pair.edited) for pair in pairs),
        "reasons": dict(Counter(r for d in decisions if d.verdict == "discard" for r in d.reasons).most_common()),
        "agreement": [one.as_json() for one in agreements(decisions)],
    }
