"""Yes and no in equal measure, as far as wanted: who always says yes must not look good."""

import hashlib
from collections.abc import Sequence

from radvqa.curating.pair import Pair

MOST = 0.6
"""Largest share that one of the two may have among closed questions."""


def surplus(pairs: Sequence[Pair], most: float = MOST) -> set[str]:
    """Return the ids of closed pairs that must go, so that neither yes nor no has more than its share.

    Which ones go depends on their ids alone; the rarer answer stays whole.

    Args:
        pairs: that are left.
        most: largest share, in [0.5, 1].
    """
    sides: dict[str, list[Pair]] = {"yes": [], "no": []}
    for pair in pairs:
        said = pair.answer.lower().strip(" .!,").split(" ")[0].strip(",.;:")
        if said in sides:
            sides[said].append(pair)
    rare, common = sorted(sides.values(), key=len)
    if not rare or most >= 1:
        return set()
    kept = max(len(rare), int(len(rare) * most / (1 - most)))
    ordered = sorted(common, key=lambda pair: hashlib.sha256(f"balance {pair.id}".encode()).digest())
    return {pair.id for pair in ordered[kept:]}
