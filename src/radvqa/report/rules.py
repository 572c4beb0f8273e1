"""The same answers under the scoring rules that others published: how much of a number is the rule."""

from collections.abc import Iterator, Sequence
from typing import Any

from radvqa.report.grid import Row, Table
from radvqa.report.numbers import percent
from radvqa.report.scored import Group, Scored, groups, require_same_test
from radvqa.report.tables import accuracy_cell

OURS = "Our accuracy"


def rules_table(
    runs: Sequence[Scored], *, explained: bool = True, members: Sequence[Group] | None = None
) -> Table | None:
    """Show each run under each published rule, over all questions; None when no rule was applied.

    Args:
        runs: the runs.
        explained: whether the notes say what each rule counts; else they say where to read it.
        members: the runs in groups of one's own; by default those together that differ in the seed alone.
    """
    require_same_test(runs)
    names = list(dict.fromkeys(name for run in runs for name in run.scores.get("rules") or {}))
    if not names:
        return None
    from radvqa.scoring.rule import RULES

    known = {name: RULES[name] for name in names if name in RULES}
    titles = {name: known[name].title if name in known else name for name in names}
    gathered = groups(runs) if members is None else members
    rows = [row for group in gathered for row in _rows(group, names)]
    notes = [sentence for group in gathered if (sentence := spread_sentence(group)) is not None]
    notes.append(f"{OURS}: equal to the gold answer after the normaliser {runs[0].scores['normaliser']}.")
    if explained:
        notes += [f"{rule.title}: {rule.meaning} Source: {rule.source.rstrip('.')}." for rule in known.values()]
    else:
        notes.append("What each rule counts: radvqa metrics.")
    return Table(
        "The same answers under published scoring rules, in percent",
        ("Answered by", OURS, *titles.values()),
        tuple(rows),
        tuple(notes),
    )


def _rows(group: Group, names: Sequence[str]) -> Iterator[Row]:
    def cells(runs: Sequence[Scored]) -> tuple[str, ...]:
        part = Group(group.label, tuple(runs))
        ours = accuracy_cell(part, [run.scores["subsets"]["overall"] for run in runs])
        return ours, *(accuracy_cell(part, [_values(run, name) for run in runs], "value") for name in names)

    if len(group.runs) == 1:
        yield Row((group.label, *cells(group.runs)), "run")
        return
    yield Row((group.heading, *cells(group.runs)), "mean")
    for run in group.runs:
        yield Row((f"{run.name} (seed {run.seed})", *cells([run])), "seed")


def _values(run: Scored, rule: str) -> dict[str, Any]:
    found: dict[str, Any] = (run.scores.get("rules") or {}).get(rule, {}).get("overall", {})
    return found


def spread(group: Group) -> tuple[float, float, float] | None:
    """Return our accuracy and the lowest and highest value by a published rule, means over the group's runs."""
    names = group.runs[0].scores.get("rules") or {}
    by_rule = ([_values(run, name).get("value") for run in group.runs] for name in names)
    means = [
        sum(known) / len(known)
        for values in by_rule
        if len(known := [v for v in values if v is not None]) == len(values)
    ]
    ours = [run.value("overall", "accuracy") for run in group.runs]
    known = [value for value in ours if value is not None]
    if not means or len(known) < len(ours):
        return None
    return sum(known) / len(known), min(means), max(means)


def spread_sentence(group: Group) -> str | None:
    """Say how far the published rules are apart: ``71.2 by our rule is 66.8 to 75.0 by others``."""
    found = spread(group)
    if found is None:
        return None
    ours, low, high = map(percent, found)
    return f"{group.label}: {ours} by our rule is {low} to {high} by others."
