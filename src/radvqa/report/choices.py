"""Tables that only some runs have: multiple choice, consistency, similarity of sentences, and a judge's verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import UNDEFINED, count, mean_sd, percent, with_interval
from radvqa.report.scored import Scored


def other_tables(runs: Sequence[Scored]) -> list[Table]:
    """Return those of these tables for which any run has something to show."""
    tables = (multiple_choice_table(runs), consistency_table(runs), similarity_table(runs), judge_table(runs))
    return [table for table in tables if table is not None]


def multiple_choice_table(runs: Sequence[Scored]) -> Table | None:
    """Show multiple choice beside its chance level, and how often each letter is right and is chosen."""
    having = [run for run in runs if run.scores.get("multiple_choice")]
    if not having:
        return None
    letters = sorted({letter for run in having for letter in run.scores["multiple_choice"].get("letters", {})})
    rows = tuple(Row((run.name, *_choice_cells(run.scores["multiple_choice"], letters)), "run") for run in having)
    columns = ("Answered by", "Questions", "Accuracy", "Chance", "No letter found", *letters)
    notes = [
        "No letter found: replies that name no option or several; they count as wrong.",
        "Letters: how often chosen / how often right. A model that prefers a letter does not read the options.",
    ]
    return Table("Multiple choice, accuracy in percent", columns, rows, tuple(notes))


def _choice_cells(found: Mapping[str, Any], letters: Sequence[str]) -> Iterator[str]:
    yield count(found.get("n"))
    yield with_interval(found.get("accuracy"), found.get("accuracy_interval"))
    yield percent(found.get("chance"))
    yield count(found.get("unparsed"))
    for letter in letters:
        values = found.get("letters", {}).get(letter, {})
        yield f"{values.get('chosen', 0)} / {values.get('gold', 0)}"


def consistency_table(runs: Sequence[Scored]) -> Table | None:
    """Show how far several answers of one model to the same question agree."""
    found = [(run.name, run.scores["consistency"]) for run in runs if run.scores.get("consistency")]
    if not found:
        return None
    rows = tuple(
        Row(
            (
                name,
                count(values["runs"]),
                count(values["n"]),
                mean_sd(values["mean_accuracy"], values["sd_accuracy"]),
                percent(values["majority_accuracy"]),
                percent(values["agreement"]),
                percent(values["all_same"]),
                count(values["docked"]),
                percent(values["penalised_score"]),
            ),
            "run",
        )
        for name, values in found
    )
    columns = (
        "Answered by",
        "Times asked",
        "Questions",
        "Accuracy, mean ± sd",
        "Accuracy of the majority",
        "Agreement",
        "Always the same",
        "Points docked",
        "Score after docking",
    )
    notes = (
        "Agreement: the mean share of answers equal to the most frequent one.",
        "A point is docked where at least three of five answers differ from the most frequent one (60 % for other "
        "numbers); the score after docking can fall below zero.",
    )
    return Table("Consistency over repeated answers, in percent", columns, rows, notes)


def similarity_table(runs: Sequence[Scored]) -> Table | None:
    """Show similarity of meaning, each with the floor that random pairs of answers reach."""
    rows = []
    for run in runs:
        for name, found in (run.scores.get("similarity") or {}).items():
            overall = found.get("overall", {})
            value = with_interval(overall.get("value"), overall.get("value_interval"))
            floor = percent(overall.get("random_pair_floor"))
            rows.append(Row((run.name, str(name), value, floor, str(found.get("model") or UNDEFINED)), "run"))
    if not rows:
        return None
    notes = (
        "Floor: the same score between answers and gold answers of different questions, paired at random. Only what "
        "lies above it says anything; similarity does not tell left from right, or yes from no.",
    )
    columns = ("Answered by", "Similarity", "Score", "Random-pair floor", "Model")
    words = frozenset({"Similarity", "Model"})
    return without_empty(Table("Similarity of meaning, in percent", columns, tuple(rows), notes, words))


def judge_table(runs: Sequence[Scored]) -> Table | None:
    """Show what a language model as judge said, and how far it agrees with exact match."""
    found = [(run.name, run.scores["judge"]) for run in runs if run.scores.get("judge")]
    if not found:
        return None
    rows = tuple(Row((name, *_judge_cells(values)), "run") for name, values in found)
    columns = (
        "Answered by",
        "Judge",
        "Prompt",
        "Score",
        "Score, unreadable as wrong",
        "Verdicts",
        "Unreadable",
        "Agrees with exact match",
        "Kappa",
    )
    notes = (
        "The judge sees question, gold answer and answer, and not who gave it. A judge is a model too: where it "
        "disagrees with exact match, either may be wrong.",
    )
    table = Table("Judged by a language model, in percent", columns, rows, notes, frozenset({"Judge", "Prompt"}))
    return without_empty(table)


def _judge_cells(found: Mapping[str, Any]) -> Iterator[str]:
    overall = found["subsets"]["overall"]
    strict = "score_counting_unparsed_wrong"
    agreement = overall.get("agreement") or {}
    kappa = agreement.get("kappa")
    yield str(found["model"])
    yield str(found["template"])
    yield with_interval(overall["score"], overall.get("score_interval"))
    yield with_interval(overall.get(strict), overall.get(f"{strict}_interval"))
    yield count(overall["judged"])
    yield count(overall["unparsed"])
    yield percent(agreement.get("agreement"))
    yield UNDEFINED if kappa is None else f"{kappa:.2f}"
