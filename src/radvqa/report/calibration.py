"""Whether confidence means anything: calibration errors, and accuracy when the model may abstain."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from radvqa.report.grid import Row, Table
from radvqa.report.numbers import UNDEFINED, percent
from radvqa.report.scored import Group, Scored, groups

_COVERAGES = (("1.0", "all"), ("0.9", "90 %"), ("0.8", "80 %"), ("0.5", "50 %"))


def calibration_table(runs: Sequence[Scored]) -> Table | None:
    """Show calibration of the runs that give a confidence; None when none does."""
    calibrated = [run for run in runs if run.scores.get("calibration")]
    if not calibrated:
        return None
    rows = [row for group in groups(calibrated) for row in _rows(group)]
    columns = (
        "Answered by",
        "ECE",
        "Brier score",
        *(f"Accuracy answering {share}" for _, share in _COVERAGES),
    )
    notes = [
        "ECE, expected calibration error: how far confidence is from the share of right answers, in points; 0 is best.",
        "Brier score: mean squared distance between confidence and right (1) or wrong (0); 0 is best.",
        "Accuracy answering 80 %: the model answers the 80 % of questions that it is most sure of and abstains from "
        "the rest. It should rise to the right; if it does not, the confidence is worth nothing.",
    ]
    silent = [run.name for run in runs if run not in calibrated]
    if silent:
        notes.append(f"Without a confidence for every answer: {', '.join(silent)}.")
    return Table("Does confidence mean anything? In percent", columns, tuple(rows), tuple(notes))


def _rows(group: Group) -> Iterator[Row]:
    if len(group.runs) == 1:
        yield Row((group.label, *_cells(group)), "run")
        return
    yield Row((group.heading, *_cells(group)), "mean")
    for run in group.runs:
        yield Row((f"{run.name} (seed {run.seed})", *_cells(Group(run.name, (run,)))), "seed")


def _cells(group: Group) -> Iterator[str]:
    found: list[dict[str, Any]] = [run.scores["calibration"] for run in group.runs]
    yield _cell(group, [values.get("ece") for values in found], percent)
    yield _cell(group, [values.get("brier") for values in found], lambda value: f"{value:.3f}")
    for coverage, _ in _COVERAGES:
        yield _cell(group, [values.get("at_coverage", {}).get(coverage) for values in found], percent)


def _cell(group: Group, values: Sequence[float | None], write: Callable[[float], str]) -> str:
    if len(values) == 1:
        return UNDEFINED if values[0] is None else write(values[0])
    spread = group.spread(values)
    return UNDEFINED if spread is None else f"{write(spread[0])} ± {write(spread[1])}"
