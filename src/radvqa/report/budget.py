"""What each run cost: without it no difference between two runs can be read."""

from collections.abc import Sequence
from typing import Any

from radvqa.report.costs import main_memory, parameters
from radvqa.report.curriculum import by_epoch, length_words, stages_of
from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import UNDEFINED, count, duration, percent, plural, size, without_folders
from radvqa.report.scored import Scored, differences
from radvqa.report.selection import LOSS, metric_words


def budget_table(runs: Sequence[Scored]) -> Table | None:
    """Show what each run cost and how its checkpoint was chosen; None when there are predictions files only."""
    if not any(run.recipe for run in runs):
        return None
    rows = []
    trained = [run for run in runs if run.recipe]
    in_epochs = all(by_epoch(run) for run in trained)
    for run in trained:
        facts, counted = run.facts, parameters(run)
        rows.append(
            Row(
                (
                    run.name,
                    _shown(run.seed),
                    _shown(run.recipe.get("model", {}).get("backbone")),
                    _length(run, in_epochs),
                    _shown(facts.get("best_epoch")),
                    _selection(run),
                    count(counted.get("trainable")),
                    count(counted.get("total")),
                    duration(facts.get("seconds")),
                    _milliseconds(run.answering.get("seconds_per_question")),
                    size(main_memory(run)),
                    hardware(run),
                ),
                "run",
            )
        )
    columns = (
        "Run",
        "Seed",
        "Backbone",
        "Epochs" if in_epochs else "Length",
        "Best epoch" if in_epochs else "Kept look",
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
    words = frozenset({"Backbone", "Length", "Selected by", "Hardware"})
    return without_empty(Table("Budget", columns, tuple(rows), tuple(notes), words))


def _milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return UNDEFINED
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.0095 else f"{1000 * seconds:.1f} ms"


def _shown(value: Any) -> str:
    return UNDEFINED if value is None else str(value)


def _length(run: Scored, in_epochs: bool) -> str:
    training = run.recipe.get("training", {})
    if in_epochs:
        return _shown(training.get("epochs"))
    if run.stages:
        steps = sum(stage.ends - stage.begins for stage in stages_of(run))
        return f"{plural(steps, 'step')} in {plural(len(run.stages), 'stage')}"
    return length_words(training) or UNDEFINED


def _selection(run: Scored) -> str:
    """Name the selection metric and, where it is a share, its best value."""
    if run.select_by is None:
        return UNDEFINED
    value = run.facts.get("selected", {}).get("value")
    shown = isinstance(value, int | float) and LOSS not in run.select_by
    return f"{metric_words(run.select_by)} {percent(value)}" if shown else metric_words(run.select_by)


def hardware(run: Scored) -> str:
    """Name what a run was trained on: the accelerator, else the processor."""
    device, cpu = (without_folders(run.provenance.get(key)) for key in ("device", "cpu"))
    if device and str(device) != "cpu":
        return str(device)
    return str(cpu or device or UNDEFINED)
