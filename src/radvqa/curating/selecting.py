"""Which categories a training set is made of: the common ones enriched, each up to a cap (seed 002, figure 6)."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from radvqa.curating.pair import Pair
from radvqa.errors import DataError, nearest


@dataclass(frozen=True)
class Wanted:
    """What is to be kept.

    Attributes:
        by: field of a pair, or the name of one of its facts (``Location``).
        pictures: categories with fewer pictures are left out.
        categories: only so many of the most common ones are kept; None keeps all.
        cap: pairs of one category; None keeps all.
        only: names of categories; empty for all.
        terms: categories by what captions speak of, such as pathologies: a pair's is the first term that its caption,
            question or answer holds as whole words. With them, ``by`` does not count.
    """

    by: str = "organ"
    pictures: int = 0
    categories: int | None = None
    cap: int | None = None
    only: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()


def category(pair: Pair, by: str) -> str:
    """The category of a pair; empty where it has none."""
    if by in ("organ", "modality", "kind", "dataset", "case", "split", "template"):
        return str(getattr(pair, by))
    return pair.fact(by)


def not_selected(pairs: Sequence[Pair], wanted: Wanted) -> set[str]:
    """Return the ids of pairs that are not kept.

    Categories are ranked by their number of pictures. Beyond the cap, pairs go in an order that depends on their ids
    alone, so that a larger cap keeps all that a smaller one keeps.

    Raises:
        DataError: for a name of a category that no pair has.
    """
    named = [(term, re.compile(rf"(?<!\w){re.escape(term)}(?!\w)", re.IGNORECASE)) for term in wanted.terms]
    of_pair = {pair.id: _term(pair, named) if named else category(pair, wanted.by) for pair in pairs}
    pictures = Counter(name for name, _ in {(of_pair[pair.id], pair.image or pair.id) for pair in pairs})
    for name in wanted.only:
        if name not in pictures:
            raise DataError(
                f"No pair has the {'term' if named else wanted.by} {name!r}; {nearest(name, sorted(pictures))}"
            )
    ranked = sorted((name for name in pictures if name), key=lambda name: (-pictures[name], name))
    kept = [name for name in ranked if pictures[name] >= wanted.pictures and (not wanted.only or name in wanted.only)]
    kept = kept[: wanted.categories]
    gone = {pair.id for pair in pairs if of_pair[pair.id] not in kept}
    if wanted.cap is not None:
        for name in kept:
            members = sorted((p.id for p in pairs if of_pair[p.id] == name), key=_order)
            gone |= set(members[wanted.cap :])
    return gone


def _term(pair: Pair, terms: Sequence[tuple[str, re.Pattern[str]]]) -> str:
    said = f"{pair.caption}\n{pair.question}\n{pair.answer}"
    return next((term for term, pattern in terms if pattern.search(said)), "")


def _order(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
