"""Tables that only some runs have: multiple choice, consistency, similarity of sentences, and a judge's verdicts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import UNDEFINED, count, percent, with_interval
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
        "No letter found: replies from which no option could be read; they count as wrong.",
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
    """Show how far repeated answers to the same question agree."""
    return _named(runs, "Consistency over repeated answers", lambda run: _flat(run.scores.get("consistency")))


def similarity_table(runs: Sequence[Scored]) -> Table | None:
    """Show similarity of meaning, each with the floor that random pairs of answers reach."""
    rows = []
    for run in runs:
        for name, found in (run.scores.get("similarity") or {}).items():
            rows.append(
                Row(
                    (
                        run.name,
                        str(name),
                        with_interval(*_value(found, ("value", "score", "mean"))),
                        with_interval(*_value(found, ("floor", "random_floor", "random_pairs"))),
                        str(found.get("model") or UNDEFINED),
                    ),
                    "run",
                )
            )
    if not rows:
        return None
    notes = (
        "Floor: the same score between answers to different questions, paired at random. Only what lies above it says "
        "anything; similarity does not tell left from right, or yes from no.",
    )
    columns = ("Answered by", "Similarity", "Score", "Floor", "Model")
    words = frozenset({"Similarity", "Model"})
    return without_empty(Table("Similarity of meaning, in percent", columns, tuple(rows), notes, words))


def judge_table(runs: Sequence[Scored]) -> Table | None:
    """Show what a language model as judge said, and how far it agrees with exact match."""
    return _named(runs, "Verdicts of a language model", lambda run: _flat(run.scores.get("judge")))


def _value(found: Mapping[str, Any], names: Sequence[str]) -> tuple[float | None, Sequence[float] | None]:
    name = next((name for name in names if name in found), names[0])
    return found.get(name), found.get(f"{name}_interval")


def _named(runs: Sequence[Scored], title: str, read: Callable[[Scored], dict[str, str]]) -> Table | None:
    """Lay out whatever plain values the runs have under their own names."""
    found = {run.name: read(run) for run in runs}
    names = list(dict.fromkeys(name for values in found.values() for name in values))
    if not names:
        return None
    rows = tuple(
        Row((run, *(values.get(name, UNDEFINED) for name in names)), "run") for run, values in found.items() if values
    )
    words = frozenset(name.replace("_", " ").capitalize() for name in names)
    return Table(title, ("Answered by", *(name.replace("_", " ").capitalize() for name in names)), rows, (), words)


def _flat(found: Any) -> dict[str, str]:
    """Write the plain values of a mapping; fractions as percent with their interval."""
    if not isinstance(found, Mapping):
        return {}
    written = {}
    for name, value in found.items():
        if isinstance(value, bool | str):
            written[name] = str(value)
        elif isinstance(value, int):
            written[name] = count(value)
        elif isinstance(value, float):
            written[name] = f"{with_interval(value, found.get(f'{name}_interval'))} %"
    return written
