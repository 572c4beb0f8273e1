"""Discriminative against generative: the seed's comparison as it was, and ours under equal budgets."""

from collections.abc import Sequence
from typing import Any

from radvqa.errors import RadvqaError, nearest
from radvqa.report.costs import cost_of
from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import UNDEFINED, count, points, reported
from radvqa.report.paired import Paired, compare_groups
from radvqa.report.results_page.budgets import costs_table, protocol_table
from radvqa.report.results_page.numbers import dataset_of, exact_match, subset, verdict
from radvqa.report.results_page.part import Part, bullets, commands, led, still_missing, table
from radvqa.report.results_page.plan import Fair, SeedRow
from radvqa.report.results_page.shelf import Shelf, System
from radvqa.report.scored import Scored, differences, require_same_test
from radvqa.report.selection import chosen_by
from radvqa.scoring.published import rows_for

_SEEDS_TEST = "slake:en"


def fair(section: Fair, shelf: Shelf) -> Part:
    """Make the section.

    Raises:
        RadvqaError: for a published row that is not known, or runs of different tests.
    """
    sides = shelf.take_all((section.discriminative, section.generative))
    runs = [run for side in sides for run in side.runs.values()]
    if runs:
        require_same_test(runs)
    theirs = [(row, _reported(section, row)) for row in section.seed]
    choosing, writing = (side.group for side in sides)
    pair = None
    if choosing is not None and writing is not None:
        pairs, _ = compare_groups([choosing, writing])
        pair = pairs[0] if pairs else None
    unequal = unequal_budgets(runs) if pair is not None else []
    said = [] if pair is None else [_sentence(pair, unequal)]
    blocks = [
        *table(_theirs(theirs)),
        *bullets([*said, *unequal]),
        *table(_ours(sides)),
        *still_missing([missing for side in sides for missing in side.missing]),
        *table(costs_table(sides)),
        *table(protocol_table(sides)),
        *commands(sides),
    ]
    facts: dict[str, Any] = {"paired": None if pair is None else pair.as_json(), "unequal": unequal}
    return Part(blocks, found=[led(section.title, _short(pair, sides, unequal))], facts=facts)


def unequal_budgets(runs: Sequence[Scored]) -> list[str]:
    """Say in what the budgets of runs differ: length, data, selection, and samples seen; empty when equal."""
    seen = {cost_of(run).get("samples") for run in runs}
    found = differences(runs)
    if len(seen - {None}) > 1:
        low, high = min(s for s in seen if s is not None), max(s for s in seen if s is not None)
        found.append(f"Not an equal comparison: the runs saw {count(low)} to {count(high)} samples.")
    return found


def _sentence(pair: Paired, unequal: Sequence[str]) -> str:
    how = "Not under equal budgets (see below)" if unequal else "Under equal budgets"
    return f"{how}, {pair.name} minus {pair.against} is {pair.written} points: {verdict(pair)}."


def _short(pair: Paired | None, sides: Sequence[System], unequal: Sequence[str]) -> str:
    if pair is None:
        return f"{next((side.state for side in sides if side.state), 'not the same questions')}."
    return _sentence(pair, unequal).replace(" (see below)", "")


def _reported(section: Fair, row: SeedRow) -> dict[str, float]:
    known = rows_for(_SEEDS_TEST, "test")
    found = {entry.subset: entry.value_percent for entry in known if entry.method == row.method}
    if not found:
        methods = list(dict.fromkeys(entry.method for entry in known))
        raise RadvqaError(f"{section.title}: no published row is called {row.method!r}; {nearest(row.method, methods)}")
    return found


def _theirs(rows: Sequence[tuple[SeedRow, dict[str, float]]]) -> Table | None:
    if not rows:
        return None
    first = rows[0][1].get("overall")
    shown = tuple(
        Row(
            (
                row.method,
                row.budget,
                *(reported(values.get(part)) for part in ("overall", "open", "closed")),
                "" if number == 0 or first is None else points((values.get("overall", 0.0) - first) / 100),
            ),
            "published",
        )
        for number, (row, values) in enumerate(rows)
    )
    columns = ("As published", "Budget", "Overall", "Open", "Closed", "Points")
    notes = (f"Points: against {rows[0][0].method}, without an interval; the single answers were not published.",)
    return without_empty(
        Table(f"The seed's comparison, {_SEEDS_TEST}, in percent", columns, shown, notes, frozenset({"Budget"}))
    )


def _ours(sides: Sequence[System]) -> Table:
    rows = [_row(kind, side) for kind, side in zip(("discriminative", "generative"), sides, strict=True)]
    columns = (
        "System",
        "Kind",
        "Seeds",
        "Exact match",
        "Open",
        "Closed",
        "Samples seen",
        "Chosen by",
    )
    known = [side.first for side in sides if side.first is not None]
    where = f", {dataset_of(known)}, in percent" if known else ""
    notes = tuple(said for side in sides for said in side.notes())
    return without_empty(Table(f"Ours{where}", columns, tuple(rows), notes, frozenset({"Kind", "Seeds", "Chosen by"})))


def _row(kind: str, side: System) -> Row:
    group, first = side.group, side.first
    value = None if group is None else exact_match(group)
    if group is None or first is None or value is None:
        return Row((side.label, kind, "", side.state or UNDEFINED, *[""] * 4), "run")
    scores = (value.written, subset(group, "open"), subset(group, "closed"))
    budget = count(cost_of(first).get("samples")), chosen_by(first.select_by)
    return Row((side.label, kind, side.seeds, *scores, *budget), "run")
