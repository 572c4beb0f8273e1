"""Systems on one data set: what each was to reach, whether it did, and the published rows beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from radvqa.errors import RadvqaError, nearest
from radvqa.report.costs import all_parameters
from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import UNDEFINED, count, percent, plural, reported
from radvqa.report.paired import compare_groups, p_value
from radvqa.report.results_page.budgets import costs_table, protocol_table
from radvqa.report.results_page.numbers import Value, exact_match, gap, holds, met, reached, subset, verdict
from radvqa.report.results_page.part import Part, bullets, commands, still_missing, table
from radvqa.report.results_page.plan import Headline, Reaching
from radvqa.report.results_page.shelf import Shelf, System
from radvqa.report.rules import rules_table
from radvqa.report.scored import require_same_test
from radvqa.report.tables import baseline_name
from radvqa.scoring.published import SAME_NORMALISER, PublishedRow, rows_for

_LOOKUPS = ("question_lookup", "question_metadata_lookup")


def headline(section: Headline, shelf: Shelf) -> Part:
    """Make the section.

    Raises:
        RadvqaError: for a run on another data set, or a published row that is not known.
    """
    systems = shelf.take_all(section.rows)
    runs = [run for system in systems for run in system.runs.values()]
    for run in runs:
        if (run.scores.get("dataset"), run.scores.get("split")) != (section.data, section.split):
            raise RadvqaError(
                f"{section.title}: {run.name} answers {run.scores.get('dataset')} {run.scores.get('split')}, not "
                f"{section.data} {section.split}; put it into a section of its own."
            )
    if runs:
        require_same_test(runs)
    values = {system.label: _value(system) for system in systems}
    beside, apart = _published(section, runs[0].scores["normaliser"] if runs else SAME_NORMALISER)
    blocks = [
        *table(_scores(section, systems, values, beside)),
        *still_missing([missing for system in systems for missing in system.missing]),
        *_paired(systems),
        *table(_rules(systems)),
        *table(_apart(apart)),
        *table(costs_table(systems)),
        *table(protocol_table(systems)),
        *commands(systems),
    ]
    facts = {"rows": [_facts(row, values[row.label]) for row in section.rows]}
    return Part(blocks, reached=list(_answers(section, systems, values)), facts=facts)


def _value(system: System) -> Value | None:
    return None if system.group is None else exact_match(system.group)


def _scores(
    section: Headline, systems: Sequence[System], values: dict[str, Value | None], beside: dict[str, dict[str, float]]
) -> Table:
    rows = [_row(section.rows[n], system, values[system.label]) for n, system in enumerate(systems)]
    runs = [run for system in systems for run in system.runs.values()]
    for key in _LOOKUPS if runs else ():
        found = runs[0].scores.get("baselines", {}).get(key)
        if found is not None:
            cells = [percent(found.get(part, {}).get("exact_match")) for part in ("overall", "open", "closed")]
            rows.append(Row((f"{baseline_name(key)} (ours)", "", *cells, "", ""), "baseline"))
    for method, parts in beside.items():
        cells = [reported(parts.get(part)) for part in ("overall", "open", "closed")]
        rows.append(Row((f"{method} (published)", "", *cells, "", ""), "published"))
    columns = ("System", "Seeds", "Exact match", "Open", "Closed", "Reach", "Moonshot")
    words = frozenset({"Seeds"})
    notes = list(_notes(section, systems, values))
    return without_empty(
        Table(f"{section.data}, {section.split} split, in percent", columns, tuple(rows), tuple(notes), words)
    )


def _row(row: Reaching, system: System, value: Value | None) -> Row:
    wanted = [UNDEFINED if number is None else f"{number:g}" for number in (row.reach, row.moonshot)]
    group = system.group
    if group is None or value is None:
        return Row((system.label, "", system.state or UNDEFINED, "", "", *wanted), "run")
    told = [
        UNDEFINED if number is None else f"{number:g}: {met(100 * value.mean, number)}"
        for number in (row.reach, row.moonshot)
    ]
    if row.reach is not None and _too_large(row, system):
        told[0] = f"{row.reach:g}: too large"
    cells = (system.seeds, value.written, subset(group, "open"), subset(group, "closed"), *told)
    return Row((system.label, *cells), "run")


def _too_large(row: Reaching, system: System) -> bool:
    known = [all_parameters(run) for run in system.runs.values()]
    return row.most_parameters is not None and any(size is not None and size > row.most_parameters for size in known)


def _notes(section: Headline, systems: Sequence[System], values: dict[str, Value | None]) -> Iterator[str]:
    runs = [run for system in systems for run in system.runs.values()]
    if runs:
        scores = runs[0].scores
        unit = str(scores.get("clustered_by") or "cluster")
        yield (
            f"Exact match after the normaliser {scores['normaliser']}, over {plural(scores['questions'], 'question')} "
            f"about {plural(scores['clusters'], unit)}: mean ± sd over the seeds, and in brackets the 95 % interval "
            f"over the test questions, drawn by {unit}. Neither holds the other."
        )
    for row in section.rows:
        value = values[row.label]
        if value is not None and row.reach is not None and holds(value.interval, row.reach):
            yield (
                f"{row.label}: met or missed is said of the mean; its interval holds {row.reach:g}, so that other test "
                f"questions may say the opposite."
            )
        if row.most_parameters is not None:
            yield f"{row.label}: the reach counts up to {count(row.most_parameters)} parameters."
    for system in systems:
        yield from system.notes()
        if value_of_one(values[system.label]):
            yield f"{system.label}: a single seed does not show how much another would change."
    if runs:
        published = " Published rows are as reported, without intervals." if section.published else ""
        yield f"The lookup rows never see a picture.{published}"


def value_of_one(value: Value | None) -> bool:
    """Tell whether a value comes of one run."""
    return value is not None and value.seeds == 1


def _published(section: Headline, normaliser: str) -> tuple[dict[str, dict[str, float]], list[PublishedRow]]:
    """Return the comparable rows by method and subset, and those of other protocols that the page names."""
    known = rows_for(section.data, section.split, normaliser)
    beside: dict[str, dict[str, float]] = {}
    for row in known:
        if row.comparable and section.published:
            beside.setdefault(row.method, {})[row.subset] = row.value_percent
    methods = list(dict.fromkeys(row.method for row in known))
    for named in section.others:
        if named not in methods:
            raise RadvqaError(
                f"{section.title}: others: no published row is called {named!r}; {nearest(named, methods)}"
            )
    return beside, [row for row in known if row.method in section.others and not row.comparable]


def _apart(rows: Sequence[PublishedRow]) -> Table | None:
    return apart_table(rows, "Published by another protocol, not comparable")


def apart_table(rows: Sequence[PublishedRow], title: str) -> Table | None:
    """List published rows of another protocol, each with the reason why it ranks nothing; None when there are none."""
    by_method: dict[tuple[str, str, str], dict[str, float]] = {}
    reasons: dict[str, dict[str, None]] = {}
    for row in rows:
        source = "; ".join(part for part in (row.source, row.evidence) if part)
        by_method.setdefault((row.method, row.protocol, source), {})[row.subset] = row.value_percent
        reasons.setdefault(row.why, {})[row.method] = None
    if not by_method:
        return None
    shown = tuple(
        Row((method, *(reported(parts.get(part)) for part in ("overall", "open", "closed")), protocol, source))
        for (method, protocol, source), parts in by_method.items()
    )
    columns = ("Method", "Overall", "Open", "Closed", "Protocol", "Source")
    notes = tuple(f"{', '.join(methods)}: {why}" for why, methods in reasons.items())
    return without_empty(Table(title, columns, shown, notes, frozenset({"Protocol", "Source"})))


def _paired(systems: Sequence[System]) -> list[str]:
    """Test every later system against the first that is there."""
    members = [system.group for system in systems if system.group is not None]
    if len(members) < 2:
        return []
    pairs, notes = compare_groups(members)
    rows = tuple(
        Row((p.name, p.written, p_value(p.holm_p if p.holm_p is not None else p.test.bootstrap_p), verdict(p)))
        for p in pairs
    )
    if not rows:
        return bullets(notes)
    p_named = "Holm p" if len(pairs) > 1 else "p"
    shown = Table(
        f"Against {members[0].label}, question by question",
        ("System", "Points", p_named, "Verdict"),
        rows,
        (*notes, PAIRED_NOTE),
        frozenset({"Verdict"}),
    )
    return table(shown)


PAIRED_NOTE = (
    "In brackets the 95 % interval of the paired difference, drawn by picture or case; seeds are averaged question by "
    "question. The p-value is the bootstrap's, with several comparisons adjusted after Holm. What goes unseen is the "
    "smallest difference that a test at 5 % finds with 80 % power on these questions."
)


def _rules(systems: Sequence[System]) -> Table | None:
    runs = [run for system in systems for run in system.runs.values()]
    groups = [system.group for system in systems if system.group is not None]
    found = rules_table(runs, explained=False, members=groups) if runs else None
    return None if found is None else replace(found, rows=tuple(row for row in found.rows if row.kind != "seed"))


def _answers(section: Headline, systems: Sequence[System], values: dict[str, Value | None]) -> Iterator[str]:
    wanted = [(row, system) for row, system in zip(section.rows, systems, strict=True) if row.reach is not None]
    if section.either and len(wanted) > 1:
        yield _either(section, wanted, values)
        return
    for row, system in wanted:
        yield f"{section.title}, {row.label}: {_told(row, system, values[row.label])}"


def _told(row: Reaching, system: System, value: Value | None) -> str:
    if value is None or row.reach is None:
        return f"{system.state or 'no value'}; {row.reach:g} % is to be reached."
    mean = 100 * value.mean
    over = f"mean of {plural(value.seeds, 'seed')}" if value.seeds > 1 else "one seed"
    more = f", {len(system.missing)} to come" if system.missing else ""
    said = f"{mean:.1f} % right ({over}{more})"
    if _too_large(row, system):
        return f"{said}, but of a model with more than {count(row.most_parameters)} parameters."
    said += f"; the {row.reach:g} to be reached {_plainly(mean, row.reach)}"
    if row.moonshot is not None:
        said += f", the {row.moonshot:g} hoped for {_plainly(mean, row.moonshot)}"
    return f"{said}."


def _plainly(mean: float, wanted: float) -> str:
    if reached(mean, wanted):
        return f"is met, by {gap(mean, wanted).lstrip('+')} points"
    return f"is missed by {gap(mean, wanted).lstrip('−')} points"


def _either(section: Headline, wanted: Sequence[tuple[Reaching, System]], values: dict[str, Value | None]) -> str:
    goals = " or ".join(dict.fromkeys(f"{row.reach:g}" for row, _ in wanted))
    known = [(row, system, value) for row, system in wanted if (value := values[row.label]) is not None]
    if not known:
        return f"{section.title}: {wanted[0][1].state}; {goals} % is to be reached by one of {len(wanted)}."
    there = [
        row.label
        for row, system, value in known
        if row.reach is not None and reached(100 * value.mean, row.reach) and not _too_large(row, system)
    ]
    told = ", ".join(f"{row.label} {100 * value.mean:.1f} %" for row, _, value in known)
    if there:
        which = f"is met by {' and '.join(there)}"
    else:
        which = (
            "is missed by all" if len(known) == len(wanted) else f"is not met yet, {len(wanted) - len(known)} to come"
        )
    return f"{section.title}: {told} right; the {goals} to be reached by one of them {which}."


def _facts(row: Reaching, value: Value | None) -> dict[str, Any]:
    known = None if value is None else value.as_json()
    by = None if value is None or row.reach is None else round(100 * value.mean - row.reach, 6)
    return {"label": row.label, "exact_match": known, "reach": row.reach, "by": by}
