"""Parts of the test by what is asked and shown, the weakest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from radvqa.report.grid import Row, Table
from radvqa.report.numbers import count, plural
from radvqa.report.scored import Scored, groups, require_same_test
from radvqa.report.tables import accuracy_cell

FEWEST = 10  # questions of a part that has a row among the others

_DIMENSIONS = {
    "question_type": "Question type",
    "answer_type": "Answer type",
    "organ": "Organ",
    "modality": "Modality",
    "language": "Language",
    "answer_length": "Length of the gold answer",
    "question_seen": "Question",
    "answer_frequency": "Gold answer in training",
}


@dataclass(frozen=True)
class Part:
    """Some of the questions.

    Attributes:
        dimension: key of ``slices`` in the scores.
        label: what these questions have in common.
        n: how many they are.
        accuracy: of the first group, the mean over its runs.
    """

    dimension: str
    label: str
    n: int
    accuracy: float

    @property
    def title(self) -> str:
        """Dimension and label in words."""
        return f"{_DIMENSIONS.get(self.dimension, self.dimension.replace('_', ' '))}: {self.label}"


def parts(runs: Sequence[Scored]) -> list[Part]:
    """Gather the parts that the first group's scores know, the one with the lowest accuracy first."""
    first = groups(runs)[0].runs
    return sorted(_parts(first), key=lambda part: (part.accuracy, -part.n, part.title))


def _parts(first: Sequence[Scored]) -> Iterator[Part]:
    for dimension, labels in first[0].scores.get("slices", {}).items():
        for label, values in labels.items():
            found = [_values(run, dimension, label).get("accuracy") for run in first]
            known = [value for value in found if value is not None]
            if known:
                yield Part(dimension, label, values["n"], sum(known) / len(known))


def _values(run: Scored, dimension: str, label: str) -> dict[str, Any]:
    found: dict[str, Any] = run.scores.get("slices", {}).get(dimension, {}).get(label, {})
    return found


def slices_table(runs: Sequence[Scored], most: int | None = None) -> Table | None:
    """Show accuracy of every part with ten questions or more, the weakest first; None when there is none.

    Args:
        runs: the runs.
        most: how many parts to show; all by default.
    """
    large = [part for part in parts(runs) if part.n >= FEWEST]
    shown = large[:most]
    first = groups(runs)[0].label
    notes = [f"In the order of the accuracy of {first}, the lowest first; a question is in one part of each kind."]
    if len(shown) < len(large):
        notes.append(f"The {plural(len(shown), 'weakest part')} of {len(large)}.")
    return _table(runs, shown, "Accuracy by part of the test, in percent, the weakest first", notes)


def small_slices_table(runs: Sequence[Scored]) -> Table | None:
    """Show the parts with fewer than ten questions; None when there is none."""
    small = [part for part in parts(runs) if part.n < FEWEST]
    notes = ["One question more or less moves such a number by ten points and more."]
    return _table(runs, small, f"Parts with fewer than {FEWEST} questions, in percent", notes)


def _table(runs: Sequence[Scored], shown: Sequence[Part], title: str, notes: Sequence[str]) -> Table | None:
    require_same_test(runs)
    if not shown:
        return None
    members = groups(runs)
    rows = tuple(
        Row(
            (
                part.title,
                count(part.n),
                *(accuracy_cell(g, [_values(r, part.dimension, part.label) for r in g.runs]) for g in members),
            )
        )
        for part in shown
    )
    return Table(title, ("Part", "Questions", *(group.heading for group in members)), rows, tuple(notes))


def types_table(runs: Sequence[Scored]) -> Table | None:
    """Show accuracy by question type, the most frequent type first; None when the data set names no types."""
    kinds = sorted((part for part in parts(runs) if part.dimension == "question_type"), key=lambda p: (-p.n, p.label))
    if not kinds:
        return None
    require_same_test(runs)
    members = groups(runs)
    rows = tuple(
        Row(
            (
                part.label,
                count(part.n),
                *(accuracy_cell(g, [_values(r, "question_type", part.label) for r in g.runs]) for g in members),
            )
        )
        for part in kinds
    )
    notes = ("The fewer the questions of a type, the less its number says: read the interval.",)
    columns = ("Question type", "Questions", *(group.heading for group in members))
    return Table("Accuracy by question type, in percent", columns, rows, notes)
