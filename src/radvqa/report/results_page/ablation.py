"""A base and its variants: what each changes, held against what it was meant to change, and what that does."""

from collections.abc import Iterator, Sequence
from typing import Any

from radvqa.report.costs import training_seconds
from radvqa.report.differing import differing_keys
from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import UNDEFINED, duration, plural
from radvqa.report.paired import Paired, compare_groups, p_value
from radvqa.report.results_page.budgets import costs_table, protocol_table
from radvqa.report.results_page.headline import PAIRED_NOTE
from radvqa.report.results_page.numbers import dataset_of, exact_match, verdict
from radvqa.report.results_page.part import Part, bullets, commands, folded, still_missing, table
from radvqa.report.results_page.plan import Ablation, Variant
from radvqa.report.results_page.shelf import Shelf, System
from radvqa.report.scored import require_same_test

_LETTERS = 60  # of a value in the table of what differs


def ablation(section: Ablation, shelf: Shelf) -> Part:
    """Make the section.

    Raises:
        RunError: for runs of different tests.
    """
    base = shelf.take(section.base)
    variants = shelf.take_all(section.variants)
    systems = [base, *variants]
    runs = [run for system in systems for run in system.runs.values()]
    if runs:
        require_same_test(runs)
    groups = [system.group for system in systems if system.group is not None]
    pairs, unpaired = compare_groups(groups) if base.group is not None and len(groups) > 1 else ([], [])
    by_label = {pair.name: pair for pair in pairs}
    doubts = [
        said for row, system in zip(section.variants, variants, strict=True) for said in doubts_of(row, base, system)
    ]
    blocks = [
        *bullets(doubts),
        *table(_scores(section, base, variants, by_label, unpaired)),
        *still_missing([missing for system in systems for missing in system.missing]),
        *folded("What differs, key by key", table(_changes(base, variants))),
        *table(costs_table(systems)),
        *table(protocol_table(systems)),
        *commands(systems),
    ]
    return Part(blocks, found=_answers(section, base, variants, pairs), facts=_facts(section, by_label, doubts))


def doubts_of(row: Variant, base: System, variant: System) -> Iterator[str]:
    """Say where a variant differs from the base in more, or in less, than the page names."""
    if base.first is None or variant.first is None or not row.differs:
        return
    found = list(differing_keys(base.first.recipe, variant.first.recipe))
    more = [key for key in found if not any(_within(key, named) for named in row.differs)]
    less = [named for named in row.differs if not any(_within(key, named) for key in found)]
    if more:
        yield f"{variant.label} differs from the base in more than {', '.join(row.differs)}: also in {', '.join(more)}."
    if less:
        yield f"{variant.label} is said to differ in {', '.join(less)}, but its recipe does not."


def _within(key: str, named: str) -> bool:
    """Tell whether a key is the named one or lies in the named section; ``stages.*.lr`` is that key of any stage."""
    parts, wanted = key.split("."), named.split(".")
    return len(parts) >= len(wanted) and all(w in ("*", p) for p, w in zip(parts, wanted, strict=False))


def _scores(
    section: Ablation, base: System, variants: Sequence[System], pairs: dict[str, Paired], unpaired: Sequence[str]
) -> Table:
    rows = [Row((base.label, "base", _value(base), "", "", "", _minutes(base)), "mean")]
    for row, system in zip(section.variants, variants, strict=True):
        pair = pairs.get(system.label)
        tested = ("", "", UNDEFINED) if pair is None else (pair.written, p_value(_p(pair)), verdict(pair))
        rows.append(Row((system.label, _differs(row, base, system), _value(system), *tested, _minutes(system)), "run"))
    p_named = "Holm p" if len(pairs) > 1 else "p"
    columns = ("Variant", "Differs in", "Exact match", "Points", p_named, "Verdict", "Time")
    tested_on = next((dataset_of([s.first]) for s in (base, *variants) if s.first is not None), "")
    notes = [
        *unpaired,
        *(f"{said}" for system in (base, *variants) for said in system.notes()),
        *([PAIRED_NOTE] if pairs else []),
    ]
    if any(len(system.runs) == 1 for system in (base, *variants)):
        notes.append("Of single seeds: how much another seed would change is not in these intervals.")
    title = f"Against {base.label}" + (f", {tested_on}, in percent" if tested_on else "")
    return without_empty(Table(title, columns, tuple(rows), tuple(notes), frozenset({"Differs in", "Verdict"})))


def _p(pair: Paired) -> float | None:
    return pair.holm_p if pair.holm_p is not None else pair.test.bootstrap_p


def _value(system: System) -> str:
    found = None if system.group is None else exact_match(system.group)
    return found.written if found is not None else system.state or UNDEFINED


def _minutes(system: System) -> str:
    known = [training_seconds(run) for run in system.runs.values()]
    found = [seconds for seconds in known if seconds is not None]
    return duration(sum(found) / len(found)) if found and len(found) == len(known) else ""


def _differs(row: Variant, base: System, variant: System) -> str:
    """Name what was changed: as the page says, or else what the recipes say."""
    if row.differs or base.first is None or variant.first is None:
        return ", ".join(row.differs)
    return ", ".join(differing_keys(base.first.recipe, variant.first.recipe)) or "nothing"


def _changes(base: System, variants: Sequence[System]) -> Table | None:
    """List what differs between the recipes, key by key."""
    if base.first is None:
        return None
    rows = [
        Row((system.label, key, _short(before), _short(after)))
        for system in variants
        if system.first is not None
        for key, (before, after) in differing_keys(base.first.recipe, system.first.recipe).items()
    ]
    if not rows:
        return None
    columns = ("Variant", "Key", "Base", "Variant's")
    notes = ("From the recipes in the run folders; seeds, and what changes nothing in the weights, are left out.",)
    return Table("What differs, key by key", columns, tuple(rows), notes, frozenset(columns))


def _short(value: str) -> str:
    return value if len(value) <= _LETTERS else value[: _LETTERS - 1] + "…"


def _answers(section: Ablation, base: System, variants: Sequence[System], pairs: Sequence[Paired]) -> list[str]:
    if not pairs:
        lacking = sum(not system.runs for system in (base, *variants))
        return [f"{section.title}: nothing to compare yet; {lacking} of {len(variants) + 1} runs are not ready."]
    better = [f"{pair.name} ({pair.written})" for pair in pairs if pair.sure and pair.difference > 0]
    worse = [f"{pair.name} ({pair.written})" for pair in pairs if pair.sure and pair.difference < 0]
    neither = sum(not pair.sure for pair in pairs)
    said = [f"{len(pairs)} of {plural(len(variants), 'variant')} tested against {base.label}"]
    said += [f"better: {', '.join(better)}"] if better else []
    said += [f"worse: {', '.join(worse)}"] if worse else []
    said += [f"not distinguishable: {neither}"] if neither else []
    return [f"{section.title}: {'; '.join(said)}."]


def _facts(section: Ablation, pairs: dict[str, Paired], doubts: Sequence[str]) -> dict[str, Any]:
    rows = [
        {"label": row.label, "paired": pairs[row.label].as_json(), "verdict": verdict(pairs[row.label])}
        for row in section.variants
        if row.label in pairs
    ]
    return {"variants": rows, "doubts": list(doubts)}
