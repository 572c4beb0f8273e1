"""One set of scores for the terminal: what ``radvqa score`` prints."""

from collections.abc import Iterator, Mapping
from typing import Any

from radvqa.report.calibration import calibration_table
from radvqa.report.choices import other_tables
from radvqa.report.grid import Row, Table, print_table
from radvqa.report.numbers import UNDEFINED, count, percent, with_interval
from radvqa.report.rules import rules_table
from radvqa.report.scored import Scored
from radvqa.report.tables import baseline_name, text_table
from radvqa.run import Answers
from radvqa.scoring.baselines import ECHO

_METRICS = (
    ("Accuracy", "accuracy"),
    ("Top-5", "top5"),
    ("Macro-F1", "macro_f1"),
    ("Exact match", "exact_match"),
    ("Token-F1", "token_f1"),
)


def show_scores(name: str, scores: Mapping[str, Any]) -> None:
    """Print scores by subset and question type with the trivial baselines, under other metrics and other rules."""
    scored = [Scored(name, Answers(scores["dataset"], scores["split"]), dict(scores))]
    rules = rules_table(scored, explained=False)
    tables = [subsets_table(name, scores), text_table(scored), rules, calibration_table(scored)]
    for table in (*tables, *other_tables(scored)):
        if table is not None:
            print_table(table)


def subsets_table(name: str, scores: Mapping[str, Any]) -> Table:
    """Lay out scores: a row for each subset and question type, then the baselines overall."""
    rows = [_row(subset.capitalize(), values, "run") for subset, values in scores["subsets"].items()]
    rows += [_row(kind, values, "row") for kind, values in scores["slices"].get("question_type", {}).items()]
    rows += [
        _row(f"{baseline_name(baseline)} (overall)", values["overall"], "baseline")
        for baseline, values in scores["baselines"].items()
        if baseline != ECHO
    ]
    columns = ("Subset", "Questions", *(title for title, _ in _METRICS))
    where = " ".join(part for part in (scores["dataset"], scores["split"]) if part)
    title = f"{name}{f' on {where}' if where else ''}, in percent"
    return Table(title, columns, tuple(rows), tuple(_notes(scores)))


def _row(name: str, values: Mapping[str, Any], kind: Any) -> Row:
    cells = (with_interval(values.get(key), values.get(f"{key}_interval")) for _, key in _METRICS)
    return Row((name, count(values["n"]), *cells), kind)


def _notes(scores: Mapping[str, Any]) -> Iterator[str]:
    clusters = f"{scores['interval']}, clustered by {scores['clustered_by']}"
    yield f"In brackets: {clusters}; normaliser {scores['normaliser']}."
    if scores.get("detectable_difference") is not None:
        yield (
            f"Two models on these questions must differ by about {percent(scores['detectable_difference'])} points "
            f"for the difference to be seen, more where questions share pictures."
        )
    unseen = scores["unseen_answers"]
    if unseen and unseen["overall"]:
        yield (
            f"{unseen['overall']} gold answers never occur in training and count as wrong; "
            f"choosing among training answers can reach at most {percent(unseen['ceiling'])}."
        )
    twins = scores["twins"]
    if twins:
        both = with_interval(twins["both_right"], twins.get("both_right_interval"))
        yield f"Twin pictures that differ in one finding: both right in {both} % of {twins['pairs']} pairs."
    shown = {key: title for title, key in _METRICS}
    for metric, reason in scores["undefined"].items():
        if metric in shown or metric == "interval":
            yield f"{shown.get(metric, metric)} is undefined ({UNDEFINED}): {reason}."
    yield from scores.get("notes", [])
