"""Which tables a report has, made from runs scored on the same questions."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from radvqa.report.grid import Row, Table
from radvqa.report.numbers import (
    UNDEFINED,
    count,
    duration,
    mean_sd,
    percent,
    plural,
    reported,
    size,
    with_interval,
    without_folders,
)
from radvqa.report.paired import Paired
from radvqa.report.scored import SUBSETS, Group, Scored, differences, groups, require_same_test

_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("Accuracy", "overall", "accuracy"),
    ("Accuracy, open", "open", "accuracy"),
    ("Accuracy, closed", "closed", "accuracy"),
    ("Top-5", "overall", "top5"),
    ("Macro-F1", "overall", "macro_f1"),
    ("Exact match", "overall", "exact_match"),
    ("Token-F1", "overall", "token_f1"),
)

_BASELINES = {
    "always_yes": "Always “yes”",
    "majority_per_type": "Most frequent answer per type",
    "question_lookup": "Question lookup, no image",
    "question_metadata_lookup": "Question + labels lookup, no image",
}


def baseline_name(key: str) -> str:
    """Name a baseline for people."""
    return _BASELINES.get(key, key.replace("_", " "))


def scores_table(runs: Sequence[Scored]) -> Table:
    """Lay runs, their baselines and comparable published results side by side.

    Runs that differ in the seed alone are led by a row with mean and standard deviation.

    Raises:
        RunError: when the runs were scored on different tests.
    """
    require_same_test(runs)
    rows = [row for group in groups(runs) for row in _group_rows(group)]
    rows += [_scores_row(name, values, "baseline") for name, values in _baselines(runs)]
    rows += [_published_row(entry) for entry in published(runs) if entry["comparable"] and entry["known"]]
    scores = runs[0].scores
    return Table(
        title=f"Scores on {scores['dataset']}, {scores['split']} split, in percent",
        columns=("Answered by", *(title for title, _, _ in _COLUMNS)),
        rows=tuple(rows),
        notes=tuple(_notes(runs)),
    )


def _group_rows(group: Group) -> Iterator[Row]:
    if len(group.runs) == 1:
        yield _scores_row(group.label, group.runs[0].scores["subsets"], "run")
        return
    spread = (group.mean_sd(subset, metric) for _, subset, metric in _COLUMNS)
    label = f"{group.label}, mean ± sd ({group.size})"
    yield Row((label, *(UNDEFINED if found is None else mean_sd(*found) for found in spread)), "mean")
    for run in group.runs:
        yield _scores_row(f"{run.name} (seed {run.seed})", run.scores["subsets"], "seed")


def _scores_row(name: str, subsets: dict[str, Any], kind: Any) -> Row:
    cells = (
        with_interval(subsets.get(subset, {}).get(metric), subsets.get(subset, {}).get(f"{metric}_interval"))
        for _, subset, metric in _COLUMNS
    )
    return Row((name, *cells), kind)


def _baselines(runs: Sequence[Scored]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each baseline once; where runs were trained on different data, once for each different result."""
    names = list(dict.fromkeys(name for run in runs for name in run.scores.get("baselines", {})))
    for name in names:
        found = {run.name: run.scores["baselines"][name] for run in runs if name in run.scores.get("baselines", {})}
        different: dict[str, tuple[str, dict[str, Any]]] = {}
        for run, values in found.items():
            different.setdefault(json.dumps(values, sort_keys=True), (run, values))
        for run, values in different.values():
            yield baseline_name(name) + (f" (training data of {run})" if len(different) > 1 else ""), values


def published(runs: Sequence[Scored]) -> list[dict[str, Any]]:
    """Gather published results, one entry for each method and protocol with its values by subset.

    Returns:
        Entries with ``method``, ``protocol``, ``source``, ``evidence``, ``comparable``, ``why``, ``values``
        (subset → percent) and ``known`` (whether a value is of a subset that our tables have).
    """
    keys = ("method", "protocol", "source", "evidence", "comparable", "why")
    entries: dict[tuple[Any, ...], dict[str, Any]] = {}
    for run in runs:
        for row in run.scores.get("published", []):
            identity = {key: row.get(key, "") for key in keys}
            entry = entries.setdefault(tuple(identity.values()), {**identity, "values": {}})
            entry["values"][row["subset"]] = row["value_percent"]
    for entry in entries.values():
        entry["known"] = any(subset in SUBSETS for subset in entry["values"])
    return list(entries.values())


def _published_row(entry: dict[str, Any]) -> Row:
    values = [entry["values"].get(subset) if metric == "accuracy" else None for _, subset, metric in _COLUMNS]
    return Row((f"{entry['method']} (published)", *(reported(v) for v in values)), "published")


def published_tables(runs: Sequence[Scored]) -> list[Table]:
    """List published results: first those that may be compared, then those that may not, each with the reason."""
    tables = []
    for comparable, title in ((True, "Published, comparable"), (False, "Published, not comparable")):
        rows = [
            Row(
                (
                    entry["method"],
                    *(_published_value(entry, subset) for subset in SUBSETS),
                    _others(entry),
                    entry["protocol"],
                    entry["why"],
                    "; ".join(part for part in (entry["source"], entry["evidence"]) if part),
                ),
                "published",
            )
            for entry in published(runs)
            if entry["comparable"] is comparable
        ]
        if rows:
            notes, words = ("As reported, without intervals.",), frozenset({"Other", "Protocol", "Why", "Source"})
            columns = ("Method", "Overall", "Open", "Closed", "Other", "Protocol", "Why", "Source")
            tables.append(_without_empty(Table(title, columns, tuple(rows), notes, words)))
    return tables


def _published_value(entry: dict[str, Any], subset: str) -> str:
    return reported(entry["values"].get(subset))


def _others(entry: dict[str, Any]) -> str:
    return ", ".join(f"{name} {reported(value)}" for name, value in entry["values"].items() if name not in SUBSETS)


def _without_empty(table: Table) -> Table:
    """Leave out columns in which no row says anything."""
    kept = [
        i for i in range(len(table.columns)) if i == 0 or any(r.cells[i] not in {"", UNDEFINED} for r in table.rows)
    ]
    rows = tuple(Row(tuple(row.cells[i] for i in kept), row.kind) for row in table.rows)
    return Table(table.title, tuple(table.columns[i] for i in kept), rows, table.notes, table.words)


def types_table(runs: Sequence[Scored]) -> Table | None:
    """Show accuracy by question type, the most frequent type first; None when the data set names no types."""
    require_same_test(runs)
    kinds: dict[str, int] = {}
    for run in runs:
        kinds.update({kind: values["n"] for kind, values in run.scores.get("question_types", {}).items()})
    if not kinds:
        return None
    members = groups(runs)
    rows = [
        Row((kind, count(n), *(_type_cell(group, kind) for group in members)))
        for kind, n in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    ]
    titles = (g.label if len(g.runs) == 1 else f"{g.label}, mean ± sd ({g.size})" for g in members)
    return Table(
        "Accuracy by question type, in percent",
        ("Question type", "Questions", *titles),
        tuple(rows),
        ("The fewer the questions of a type, the less its number says: read the interval.",),
    )


def _type_cell(group: Group, kind: str) -> str:
    values = [run.scores.get("question_types", {}).get(kind, {}) for run in group.runs]
    if len(values) == 1:
        return with_interval(values[0].get("accuracy"), values[0].get("accuracy_interval"))
    known = [value["accuracy"] for value in values if value.get("accuracy") is not None]
    if len(known) < len(values):
        return UNDEFINED
    from radvqa.scoring.statistics import over_seeds

    summary = over_seeds(known)
    return mean_sd(summary.mean, summary.sd or 0.0)


def budget_table(runs: Sequence[Scored]) -> Table:
    """Show what each run cost and how its checkpoint was chosen."""
    rows = []
    for run in runs:
        training, facts = run.recipe.get("training", {}), run.facts
        parameters = facts.get("parameters", {})
        rows.append(
            Row(
                (
                    run.name,
                    _shown(run.seed),
                    _shown(run.recipe.get("model", {}).get("backbone")),
                    _shown(training.get("epochs")),
                    _shown(facts.get("best_epoch")),
                    _selection(run),
                    count(parameters.get("trainable")),
                    count(parameters.get("total")),
                    duration(facts.get("seconds")),
                    size(facts.get("peak_memory_bytes")),
                    hardware(run),
                ),
                "run",
            )
        )
    columns = (
        "Run",
        "Seed",
        "Backbone",
        "Epochs",
        "Best epoch",
        "Selected by",
        "Trained parameters",
        "All parameters",
        "Training time",
        "Peak memory",
        "Hardware",
    )
    return Table(
        "Budget", columns, tuple(rows), tuple(differences(runs)), frozenset({"Backbone", "Selected by", "Hardware"})
    )


def _shown(value: Any) -> str:
    return UNDEFINED if value is None else str(value)


def _selection(run: Scored) -> str:
    """Name the selection metric and, where it is a share, its best value."""
    if run.select_by is None:
        return UNDEFINED
    value = run.facts.get("selected", {}).get("value")
    shown = isinstance(value, int | float) and "loss" not in run.select_by
    return f"{run.select_by.replace('_', ' ')} {percent(value)}" if shown else run.select_by.replace("_", " ")


def hardware(run: Scored) -> str:
    """Name what a run was trained on: the accelerator, else the processor."""
    device, cpu = (without_folders(run.provenance.get(key)) for key in ("device", "cpu"))
    if device and str(device) != "cpu":
        return str(device)
    return str(cpu or device or UNDEFINED)


def paired_table(pairs: Sequence[Paired]) -> Table | None:
    """Show paired differences in accuracy; None when there are none."""
    if not pairs:
        return None
    rows = tuple(
        Row((f"{p.name} − {p.against}", p.written, count(p.questions), "yes" if p.sure else "no")) for p in pairs
    )
    notes = ["Both answered the same questions; 95 % cluster-bootstrap interval of the difference, in points."]
    if len(pairs) > 1:
        notes.append("The intervals are not widened for making several comparisons.")
    return Table(
        "Paired difference in accuracy", ("Runs", "Points", "Questions", "Interval leaves out zero"), rows, tuple(notes)
    )


def _notes(runs: Sequence[Scored]) -> Iterator[str]:
    scores = runs[0].scores
    yield (
        f"{plural(scores['questions'], 'question')} about {plural(scores['clusters'], _unit(scores))}; "
        f"in brackets: {scores['interval']}; normaliser {scores['normaliser']}."
    )
    yield from differences(runs)
    yield from _per_run(runs, _undefined)
    yield from _per_run(runs, _unseen)
    yield from _per_run(runs, _twins)
    yield from _per_run(runs, lambda run: list(run.scores.get("notes", [])))
    if any(len(group.runs) > 1 for group in groups(runs)):
        yield "mean ± sd is over training seeds; the brackets are over test questions. Neither holds the other."
    if any(len(group.runs) == 1 for group in groups(runs)):
        yield "A run with a single seed does not show how much another seed would change."


def _unit(scores: dict[str, Any]) -> str:
    return str(scores.get("clustered_by") or "cluster")


def _per_run(runs: Sequence[Scored], say: Any) -> Iterator[str]:
    """Yield each sentence once, naming the runs it holds for unless it holds for all."""
    said: dict[str, list[str]] = {}
    for run in runs:
        for sentence in say(run):
            said.setdefault(sentence, []).append(run.name)
    for sentence, names in said.items():
        yield sentence if len(names) == len(runs) else f"{', '.join(names)}: {sentence}"


def _undefined(run: Scored) -> list[str]:
    titles = {metric: title for title, _, metric in reversed(_COLUMNS)}
    return [
        f"{titles.get(metric, metric)} is undefined ({UNDEFINED}): {reason}."
        for metric, reason in run.scores.get("undefined", {}).items()
    ]


def _unseen(run: Scored) -> list[str]:
    unseen = run.scores.get("unseen_answers")
    if unseen is None:
        return []
    if not unseen["overall"]:
        return ["Every gold answer occurs in training."]
    sentence = (
        f"{count(unseen['overall'])} of {count(run.scores['questions'])} gold answers ({unseen['open']} open, "
        f"{unseen['closed']} closed) never occur in training; choosing among training answers can reach at most "
        f"{percent(unseen['ceiling'])}."
    )
    return [sentence]


def _twins(run: Scored) -> list[str]:
    twins = run.scores.get("twins")
    if twins is None:
        return []
    chance = f" (guessing: {percent(twins['chance'])})" if twins.get("chance") is not None else ""
    sentence = (
        f"Twin pictures that differ in one finding: both right in "
        f"{with_interval(twins['both_right'], twins.get('both_right_interval'))} % of "
        f"{plural(twins['pairs'], 'pair')}{chance}."
    )
    return [sentence]
