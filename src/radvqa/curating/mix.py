"""Checked pairs of several tables as one training set: shares by source, splits, and an annealing set of its own."""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from radvqa.curating.pair import Pair
from radvqa.curating.selecting import category
from radvqa.errors import DataError

TRAIN, VALIDATE, ANNEAL = "train", "validate", "anneal"
_VALIDATION_SPLITS = ("validate", "validation", "valid", "val", "dev")
_TEST_SPLITS = ("test",)


@dataclass(frozen=True)
class Source:
    """One table of a mix.

    Attributes:
        name: as the mix calls it.
        pairs: that are kept; others are left out.
        share: of the training pairs, relative to the other sources; None takes all.
        anneal: whether it is kept for the end of a training (seed 002's annealing) instead of being mixed in.
    """

    name: str
    pairs: Sequence[Pair]
    share: float | None = None
    anneal: bool = False


@dataclass(frozen=True)
class Mixed:
    """One training set.

    Attributes:
        rows: of its table, in order.
        before: pairs by source, then by category, of everything that was kept.
        after: the same of what is in the mix.
        left_out: pairs by reason: ``test split``, ``share``.
    """

    rows: list[tuple[str, str, Pair]]
    before: dict[str, dict[str, int]]
    after: dict[str, dict[str, int]]
    left_out: dict[str, int]

    def of_split(self, split: str) -> list[Pair]:
        """Pairs of a split."""
        return [pair for _, part, pair in self.rows if part == split]


def mix(sources: Sequence[Source], *, by: str = "organ", validate: float = 0.1) -> Mixed:
    """Put sources together.

    Validation pairs are those whose material belongs to a validation split; where a source has none, some of its cases
    (or pictures) are held out with all their pairs. Pairs about test splits are left out: they would teach the test.
    Whole cases stay on one side, over all sources.

    Args:
        sources: whose names differ.
        by: category for the counts, as ``selecting.category`` knows it.
        validate: share of cases that are held out of a source without a validation split, in [0, 1).

    Raises:
        DataError: for no source, a name twice, a share that is none, an id in two tables, or an empty outcome.
    """
    _check(sources, validate)
    left_out: Counter[str] = Counter()
    held = _held_out(sources, validate)
    parts: dict[str, dict[str, list[Pair]]] = {}
    for source in sources:
        parts[source.name] = {TRAIN: [], VALIDATE: []}
        for pair in source.pairs:
            if pair.dropped:
                continue
            if pair.split.lower() in _TEST_SPLITS:
                left_out["test split"] += 1
            else:
                side = VALIDATE if _group(pair) in held or pair.split.lower() in _VALIDATION_SPLITS else TRAIN
                parts[source.name][side].append(pair)
    before = {name: _counted([*sides[TRAIN], *sides[VALIDATE]], by) for name, sides in parts.items()}
    _to_share(sources, parts, left_out)
    rows = []
    for source in sources:
        end = ANNEAL if source.anneal else TRAIN
        rows += [(source.name, end, pair) for pair in parts[source.name][TRAIN]]
        rows += [(source.name, VALIDATE, pair) for pair in parts[source.name][VALIDATE]]
    if not any(part != VALIDATE for _, part, _ in rows):
        raise DataError("No pair is left to train on; `radvqa curate filter` and `review` say what took them out.")
    after = {name: _counted([*sides[TRAIN], *sides[VALIDATE]], by) for name, sides in parts.items()}
    return Mixed(rows, before, after, dict(left_out))


def _check(sources: Sequence[Source], validate: float) -> None:
    if not sources:
        raise DataError("A mix needs at least one table.")
    names = [source.name for source in sources]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise DataError(f"Two tables of the mix are called {twice!r}; rename one of the files.")
    for source in sources:
        if source.share is not None and not (source.share > 0 and math.isfinite(source.share)):
            raise DataError(f"{source.name}: a share must be above 0, found {source.share:g}; leave the table out.")
    if not 0 <= validate < 1:
        raise DataError(f"The share that is held out must be at least 0 and below 1, found {validate:g}.")
    homes: dict[str, str] = {}
    for source in sources:
        for pair in source.pairs:
            if homes.setdefault(pair.id, source.name) != source.name:
                raise DataError(f"The pair {pair.id!r} is in {homes[pair.id]} and in {source.name}; name one of them.")


def _held_out(sources: Sequence[Source], validate: float) -> set[str]:
    """Cases that are validated on: those of validation splits, and a part of those of sources without one."""
    held: set[str] = set()
    for source in sources:
        kept = [pair for pair in source.pairs if not pair.dropped and pair.split.lower() not in _TEST_SPLITS]
        own = {_group(pair) for pair in kept if pair.split.lower() in _VALIDATION_SPLITS}
        if own or source.anneal:
            held |= own
            continue
        groups = sorted({_group(pair) for pair in kept}, key=_order)
        held |= set(groups[: round(validate * len(groups))])
    return held


def _to_share(sources: Sequence[Source], parts: Mapping[str, dict[str, list[Pair]]], left_out: Counter[str]) -> None:
    """Thin training pairs out until shares are as wanted; as many as possible stay."""
    wanted = {source.name: source.share for source in sources if source.share is not None}
    if not wanted:
        return
    largest = min(len(parts[name][TRAIN]) / share for name, share in wanted.items())
    for name, share in wanted.items():
        kept = sorted(parts[name][TRAIN], key=lambda pair: _order(pair.id))[: int(largest * share + 1e-9)]
        left_out["share"] += len(parts[name][TRAIN]) - len(kept)
        ids = {pair.id for pair in kept}
        parts[name][TRAIN] = [pair for pair in parts[name][TRAIN] if pair.id in ids]


def _counted(pairs: Sequence[Pair], by: str) -> dict[str, int]:
    return dict(Counter(category(pair, by) for pair in pairs).most_common())


def _group(pair: Pair) -> str:
    """What must not be split: the case, or the picture where no case is known."""
    return f"{pair.dataset}/{pair.case or pair.image or pair.id}"


def _order(name: str) -> bytes:
    """An order of its own: that of the filters has decided already who is left of a category."""
    return hashlib.sha256(f"mix {name}".encode()).digest()


def as_explored(counts: Mapping[str, Mapping[str, int]], by: str) -> dict[str, Any]:
    """Write counts as the figures of ``data explore`` take them: labels with rows by source."""
    names = list(counts)
    labels = Counter[str]()
    for counted in counts.values():
        labels.update(counted)
    rows = [
        {"label": label, "rows": [counts[name].get(label, 0) for name in names]} for label, _ in labels.most_common()
    ]
    return {"totals": [{"name": name, "rows": sum(counts[name].values())} for name in names], by: rows}
