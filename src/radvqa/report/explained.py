"""The terminal's page about explained answers: one, and a whole test set."""

from collections.abc import Mapping
from typing import Any

from radvqa.report.grid import Row, Table, print_table
from radvqa.report.numbers import UNDEFINED, count

_COLUMNS = (
    ("Hit", "hit"),
    ("Energy inside", "energy"),
    ("Best IoU", "overlap"),
    ("Deletion ↓", "deletion"),
    ("Insertion ↑", "insertion"),
    ("Outside the body", "outside_body"),
    ("Like: random weights", "all_random"),
    ("Like: other question", "other_question"),
)
_TITLES = {
    "baseline:random": "random map",
    "baseline:centre": "centre of the picture",
    "baseline:edges": "edges of the picture",
}


def explained_table(found: Mapping[str, Any]) -> Table:
    """Show every method beside chance, the centre prior and an edge detector."""
    methods = found["summary"]["methods"]
    rows = tuple(
        Row(
            (_TITLES.get(name, name), *(_cell(values.get(key), percent=key not in _SCORES) for _, key in _COLUMNS)),
            "baseline" if name.startswith("baseline:") else "row",
        )
        for name, values in methods.items()
    )
    notes = [
        f"{count(found['summary']['with_place'])} of {count(found['summary']['questions'])} questions are about a "
        f"labelled place, which takes {_cell(_area(methods), percent=True)} of the picture. Hit: the map's highest "
        f"point lies in it, or within 2 % of the picture's side; energy: share of the map inside; IoU at the best "
        f"threshold. In percent.",
        "Deletion and insertion: area under the answer's probability while the most important pixels go or come. "
        "Like: rank correlation with the map of a model with random weights, and of another question; 1 is the same.",
        "Intervals: 95 %, pictures drawn anew.",
    ]
    for name, values in methods.items():
        notes += [f"{name} {flag}: it is not to be trusted for this model." for flag in values.get("flags", ())]
    return Table("Maps against the truth, against the model, against chance", _names(), rows, tuple(notes))


_SCORES = ("deletion", "insertion", "all_random", "half_random", "other_question")


def _names() -> tuple[str, ...]:
    return ("Method", *(title for title, _ in _COLUMNS))


def _area(methods: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((values["area"] for values in methods.values() if "area" in values), None)


def _cell(value: Mapping[str, Any] | None, *, percent: bool) -> str:
    if value is None:
        return UNDEFINED
    scale, digits = (100, 1) if percent else (1, 2)
    mean = f"{scale * value['mean']:.{digits}f}"
    if value["interval"] is None:
        return mean
    low, high = (f"{scale * limit:.{digits}f}" for limit in value["interval"])
    return f"{mean} [{low}, {high}]"


def show_explained(found: Mapping[str, Any]) -> None:
    """Print what was found for one answer, or the table of a test set."""
    if "summary" in found:
        print_table(explained_table(found))
        print(f"Maps and numbers: {found['folder']}")
        return
    print(f"Q: {found['question']}")
    sure = f" (probability {found['probability']:.2f})" if found["probability"] is not None else ""
    print(f"A: {found['answer']}{sure}")
    if found["words"]:
        told = ", ".join(f"{one['word']} {one['drop']:.2f}" for one in found["words"])
        print(f"Without the word the answer is less probable by: {told}")
    rows = tuple(Row((name, *_proof_cells(values))) for name, values in found["methods"].items())
    columns = ("Method", "Deletion ↓", "of a random map", "Insertion ↑", "of a random map", "Hit", "Energy inside")
    if rows:
        print_table(Table("Does the model bear the map out?", columns, rows))
    for name, why in found["refused"].items():
        print(f"{name}: {why}")
    print(f"Pictures, arrays and summary: {found['folder']}")


def _proof_cells(values: Mapping[str, Any]) -> tuple[str, ...]:
    proof = values.get("proof")
    if proof is None:
        return (UNDEFINED,) * 6
    place = proof["place"] or {}
    numbers = [proof[key] for key in ("deletion", "random_deletion", "insertion", "random_insertion")]
    cells = [f"{number:.2f}" for number in numbers]
    return (*cells, *(f"{place[key]:.2f}" if key in place else UNDEFINED for key in ("hit", "energy")))
