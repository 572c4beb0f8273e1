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

Columns = tuple[tuple[str, str, str], ...]  # title, subset, metric

_COLUMNS: Columns = (
    ("Accuracy", "overall", "accuracy"),
    ("Accuracy, open", "open", "accuracy"),
    ("Accuracy, closed", "closed", "accuracy"),
    ("Top-5", "overall", "top5"),
    ("Macro-F1", "overall", "macro_f1"),
    ("Exact match", "overall", "exact_match"),
    ("Token-F1", "overall", "token_f1"),
)

_TEXT_COLUMNS: Columns = (
    ("Token recall", "overall", "token_recall"),
    ("Token recall, open", "open", "token_recall"),
    ("Containment", "overall", "containment"),
    ("BLEU-1", "overall", "bleu1"),
    ("BLEU-4", "overall", "bleu4"),
    ("ROUGE-1", "overall", "rouge1"),
    ("ROUGE-2", "overall", "rouge2"),
    ("ROUGE-L", "overall", "rougeL"),
    ("WUPS@0.9", "overall", "wups09"),
    ("WUPS@0.0", "overall", "wups00"),
)

ECHO = "echo_question"  # says nothing about accuracy, but what any fluent text gets from metrics of overlap

_BASELINES = {
    "always_yes": "Always “yes”",
    "majority_per_type": "Most frequent answer per type",
    "question_lookup": "Question lookup, no image",
    "question_metadata_lookup": "Question + labels lookup, no image",
    ECHO: "The question itself as the answer",
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
    rows = [row for group in groups(runs) for row in _group_rows(group, _COLUMNS)]
    rows += [_scores_row(name, values, "baseline", _COLUMNS) for key, name, values in _baselines(runs) if key != ECHO]
    rows += [_published_row(entry) for entry in published(runs) if entry["comparable"] and entry["known"]]
    return Table(
        title=f"Scores on {_where(runs)}, in percent",
        columns=("Answered by", *(title for title, _, _ in _COLUMNS)),
        rows=tuple(rows),
        notes=tuple(_notes(runs)),
    )


def text_table(runs: Sequence[Scored]) -> Table | None:
    """Show how much of the gold's words the answers share; None when no such metric is defined for any run."""
    require_same_test(runs)
    columns = tuple(c for c in _TEXT_COLUMNS if any(run.value(c[1], c[2]) is not None for run in runs))
    if not columns:
        return None
    rows = [row for group in groups(runs) for row in _group_rows(group, columns)]
    rows += [_scores_row(name, values, "baseline", columns) for key, name, values in _baselines(runs) if key == ECHO]
    notes = [
        "These count shared words or letters, not truth: an answer that names the wrong side shares most of its words. "
        "The last row shows what repeating the question gets.",
        *_per_run(runs, lambda run: _undefined(run, _TEXT_COLUMNS)),
        *_partly(runs, columns),
    ]
    titles = ("Answered by", *(title for title, _, _ in columns))
    return Table("Overlap with the gold answer, in percent", titles, tuple(rows), tuple(notes))


def _where(runs: Sequence[Scored]) -> str:
    scores = runs[0].scores
    named = (scores.get("dataset"), f"{scores['split']} split" if scores.get("split") else "")
    return ", ".join(part for part in named if part) or f"{count(scores['questions'])} questions"


def _group_rows(group: Group, columns: Columns) -> Iterator[Row]:
    if len(group.runs) == 1:
        yield _scores_row(group.label, group.runs[0].scores["subsets"], "run", columns)
        return
    spread = (group.mean_sd(subset, metric) for _, subset, metric in columns)
    yield Row((group.heading, *(UNDEFINED if found is None else mean_sd(*found) for found in spread)), "mean")
    for run in group.runs:
        yield _scores_row(f"{run.name} (seed {run.seed})", run.scores["subsets"], "seed", columns)


def _scores_row(name: str, subsets: dict[str, Any], kind: Any, columns: Columns) -> Row:
    cells = (
        with_interval(subsets.get(subset, {}).get(metric), subsets.get(subset, {}).get(f"{metric}_interval"))
        for _, subset, metric in columns
    )
    return Row((name, *cells), kind)


def _baselines(runs: Sequence[Scored]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield key, name and values of each baseline; where results differ with the training data, each of them."""
    keys = list(dict.fromkeys(key for run in runs for key in run.scores.get("baselines", {})))
    for key in keys:
        found = {run.name: run.scores["baselines"][key] for run in runs if key in run.scores.get("baselines", {})}
        different: dict[str, tuple[str, dict[str, Any]]] = {}
        for run, values in found.items():
            different.setdefault(json.dumps(values, sort_keys=True), (run, values))
        for run, values in different.values():
            yield key, baseline_name(key) + (f" (training data of {run})" if len(different) > 1 else ""), values


def _partly(runs: Sequence[Scored], columns: Columns) -> Iterator[str]:
    """Name metrics that are undefined for some of the questions, and so are means over the others."""
    overall = runs[0].scores["subsets"]["overall"]
    fewer: dict[int, list[str]] = {}
    for title, subset, metric in columns:
        if subset == "overall" and overall.get(f"{metric}_n") is not None:
            fewer.setdefault(overall[f"{metric}_n"], []).append(title)
    for n, titles in fewer.items():
        yield f"{', '.join(titles)}: over the {plural(n, 'question')} of {count(overall['n'])} for which it is defined."


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
            tables.append(without_empty(Table(title, columns, tuple(rows), notes, words)))
    return tables


def _published_value(entry: dict[str, Any], subset: str) -> str:
    return reported(entry["values"].get(subset))


def _others(entry: dict[str, Any]) -> str:
    return ", ".join(f"{name} {reported(value)}" for name, value in entry["values"].items() if name not in SUBSETS)


def without_empty(table: Table) -> Table:
    """Leave out columns in which no row says anything, or all say nothing."""
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
        kinds.update({kind: values["n"] for kind, values in question_types(run).items()})
    if not kinds:
        return None
    members = groups(runs)
    rows = [
        Row(
            (
                kind,
                count(n),
                *(accuracy_cell(group, [question_types(r).get(kind, {}) for r in group.runs]) for group in members),
            )
        )
        for kind, n in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    ]
    return Table(
        "Accuracy by question type, in percent",
        ("Question type", "Questions", *(group.heading for group in members)),
        tuple(rows),
        ("The fewer the questions of a type, the less its number says: read the interval.",),
    )


def question_types(run: Scored) -> dict[str, Any]:
    """Return accuracy by question type."""
    found: dict[str, Any] = run.scores.get("slices", {}).get("question_type", {})
    return found


def accuracy_cell(group: Group, values: Sequence[dict[str, Any]], key: str = "accuracy") -> str:
    """Write one value of each run of a group: with its interval for one run, else as mean ± sd."""
    if len(values) == 1:
        return with_interval(values[0].get(key), values[0].get(f"{key}_interval"))
    spread = group.spread([value.get(key) for value in values])
    return UNDEFINED if spread is None else mean_sd(*spread)


def budget_table(runs: Sequence[Scored]) -> Table | None:
    """Show what each run cost and how its checkpoint was chosen; None when there are predictions files only."""
    if not any(run.recipe for run in runs):
        return None
    rows = []
    for run in (run for run in runs if run.recipe):
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
                    _milliseconds(run.answering.get("seconds_per_question")),
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
        "One answer",
        "Peak memory",
        "Hardware",
    )
    notes = list(differences(runs))
    devices = list(dict.fromkeys(str(run.answering["device"]) for run in runs if run.answering.get("device")))
    if devices:
        notes.append(
            f"One answer: a question about a picture that nothing was prepared for, on {' or '.join(devices)}."
        )
    words = frozenset({"Backbone", "Selected by", "Hardware"})
    return without_empty(Table("Budget", columns, tuple(rows), tuple(notes), words))


def _milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return UNDEFINED
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.0095 else f"{1000 * seconds:.1f} ms"


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
    """Show paired differences in accuracy with their tests; None when there are none."""
    if not pairs:
        return None
    rows = tuple(
        Row(
            (
                f"{p.name} − {p.against}",
                p.written,
                p_value(p.mcnemar_p),
                p_value(p.test.bootstrap_p),
                p_value(p.holm_p),
                _wins(p, p.test.only_first),
                _wins(p, p.test.only_second),
                UNDEFINED if p.detectable is None else f"{100 * p.detectable:.1f}",
            )
        )
        for p in pairs
    )
    columns = (
        "Compared",
        "Points",
        "McNemar p",
        "Bootstrap p",
        "Holm p",
        "Only the first right",
        "Only the second right",
        "Smallest detectable difference",
    )
    first = pairs[0].test
    notes = [
        *(p.sentence for p in pairs),
        f"Both answered the same {plural(first.questions, 'question')}; in brackets the 95 % cluster-bootstrap interval "
        "of the difference. Bootstrap p draws whole pictures or cases; McNemar's test takes questions as independent.",
        "Smallest detectable difference: what a test at 5 % finds with 80 % power on these questions, in points.",
    ]
    if any(p.holm_p is not None for p in pairs):
        notes.append(f"Holm p: the bootstrap p adjusted for making {len(pairs)} comparisons; read this one.")
    if any(not p.single for p in pairs):
        notes.append(
            "Runs that differ in the seed alone are averaged question by question, so that a question can be won in "
            "part and McNemar's test has no say. How much another seed would change is not in these intervals."
        )
    return without_empty(Table("Paired difference in accuracy", columns, rows, tuple(notes)))


def p_value(p: float | None) -> str:
    """Write a p-value: two digits, and never 0."""
    if p is None:
        return UNDEFINED
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"


def _wins(pair: Paired, questions: float) -> str:
    return f"{questions:.0f}" if pair.single else f"{questions:.1f}"


def _notes(runs: Sequence[Scored]) -> Iterator[str]:
    scores = runs[0].scores
    yield (
        f"{plural(scores['questions'], 'question')} about {plural(scores['clusters'], _unit(scores))}; "
        f"in brackets: {scores['interval']}; normaliser {scores['normaliser']}."
    )
    yield from differences(runs)
    yield from _per_run(runs, lambda run: _undefined(run, _COLUMNS))
    yield from _per_run(runs, _unseen)
    yield from _per_run(runs, _twins)
    yield from _per_run(runs, lambda run: [*run.notes, *run.scores.get("notes", [])])
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


def _undefined(run: Scored, columns: Columns) -> list[str]:
    """Say why metrics of these columns are undefined, those with one reason together."""
    titles = {metric: title for title, _, metric in reversed(columns)}
    reasons: dict[str, list[str]] = {}
    for metric, reason in run.scores.get("undefined", {}).items():
        if metric in titles:
            reasons.setdefault(reason, []).append(titles[metric])
    return [
        f"{' and '.join(named)} {'is' if len(named) == 1 else 'are'} undefined ({UNDEFINED}): {reason}."
        for reason, named in reasons.items()
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
