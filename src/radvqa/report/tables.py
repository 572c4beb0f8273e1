"""The tables of scores, made from answers to the same questions."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from radvqa.report.grid import Row, Table
from radvqa.report.numbers import UNDEFINED, count, mean_sd, percent, plural, reported, with_interval
from radvqa.report.published import published
from radvqa.report.scored import Group, Scored, differences, groups, require_same_test
from radvqa.scoring.baselines import ECHO

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


def _published_row(entry: dict[str, Any]) -> Row:
    values = [entry["values"].get(subset) if metric == "accuracy" else None for _, subset, metric in _COLUMNS]
    return Row((f"{entry['method']} (published)", *(reported(v) for v in values)), "published")


def accuracy_cell(group: Group, values: Sequence[dict[str, Any]], key: str = "accuracy") -> str:
    """Write one value of each run of a group: with its interval for one run, else as mean ± sd."""
    if len(values) == 1:
        return with_interval(values[0].get(key), values[0].get(f"{key}_interval"))
    spread = group.spread([value.get(key) for value in values])
    return UNDEFINED if spread is None else mean_sd(*spread)


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
        if metric in titles and any(run.value(subset, key) is None for _, subset, key in columns if key == metric):
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
