"""All rules over a table: what each notices, what it takes out, and what is left."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from radvqa.curating.apart_from_tests import asked_in_tests
from radvqa.curating.balance import MOST, surplus
from radvqa.curating.near_duplicates import LIKENESS, near_duplicates
from radvqa.curating.pair import Pair
from radvqa.curating.rules.all import RULES
from radvqa.curating.rules.words import Texts
from radvqa.curating.selecting import Wanted, not_selected
from radvqa.errors import DataError, nearest
from radvqa.sample import Sample

OF_TABLES: dict[str, str] = {
    "in-test": "Its question is asked in a test split.",
    "duplicate": "An earlier pair says nearly the same about the same picture or caption.",
    "imbalance": "Surplus of yes or no.",
    "not-selected": "Its category is not wanted, or full.",
}
"""Rules that look at the whole table, by name, in the order in which they are tried, after those of single pairs."""

ONLY_NOTICED = ("commands",)
"""Flags that take nothing out: captions that speak to a model are shown to the reviewer."""


@dataclass(frozen=True)
class Settings:
    """What is done.

    Attributes:
        without: names of rules that are switched off.
        most: largest share of yes or no among closed questions.
        likeness: from which on pairs are duplicates.
        wanted: which categories are kept; None keeps all.
    """

    without: tuple[str, ...] = ()
    most: float = MOST
    likeness: float = LIKENESS
    wanted: Wanted | None = None


@dataclass(frozen=True)
class Filtered:
    """The outcome.

    Attributes:
        pairs: all of them, with flags, and the rule that took each out.
        noticed: how many pairs each rule holds for, whatever the others say.
        taken: how many each took out.
    """

    pairs: list[Pair]
    noticed: dict[str, int]
    taken: dict[str, int]

    @property
    def kept(self) -> list[Pair]:
        """Pairs that stay."""
        return [pair for pair in self.pairs if not pair.dropped]


def filter_pairs(pairs: Sequence[Pair], settings: Settings = Settings(), tests: Iterable[Sample] = ()) -> Filtered:
    """Try every rule on every pair. What earlier rules said is forgotten first, so that settings can be changed.

    Args:
        pairs: in the order of preference.
        settings: what is done.
        tests: samples of test splits, whose questions must not be learned.

    Raises:
        DataError: for the name of a rule that there is not, and as ``not_selected``.
    """
    known = [*RULES, *OF_TABLES]
    for name in settings.without:
        if name not in known:
            raise DataError(f"There is no rule {name!r}; {nearest(name, known)}")
    single = {name: rule for name, rule in RULES.items() if name not in settings.without}
    flags: dict[str, list[str]] = {}
    dropped: dict[str, str] = {}
    for pair in pairs:
        texts = Texts(pair)
        found = [name for name, rule in single.items() if rule.check(texts)]
        flags[pair.id] = [*(flag for flag in pair.flags if flag in ONLY_NOTICED), *found]
        dropped[pair.id] = found[0] if found else ""
    for name in (name for name in OF_TABLES if name not in settings.without):
        left = [pair for pair in pairs if not dropped[pair.id]]
        for gone in _of_table(name, left, settings, tests):
            flags[gone].append(name)
            dropped[gone] = name
    decided = [replace(p, flags=tuple(flags[p.id]), dropped=dropped[p.id]) for p in pairs]
    order = [*RULES, *OF_TABLES, *ONLY_NOTICED]
    noticed = Counter(flag for pair in decided for flag in pair.flags)
    taken = Counter(pair.dropped for pair in decided if pair.dropped)
    return Filtered(decided, {n: noticed[n] for n in order if noticed[n]}, {n: taken[n] for n in order if taken[n]})


def _of_table(name: str, left: Sequence[Pair], settings: Settings, tests: Iterable[Sample]) -> Iterable[str]:
    if name == "in-test":
        return asked_in_tests(left, tests)
    if name == "duplicate":
        return near_duplicates(left, settings.likeness)
    if name == "imbalance":
        return surplus([pair for pair in left if pair.kind != "choice"], settings.most)
    return not_selected(left, settings.wanted) if settings.wanted else ()
