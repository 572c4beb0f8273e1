"""Two tables that stand below every comparison: what each system cost, and by which protocol it was measured."""

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean
from typing import Any

from radvqa.report.budget import hardware
from radvqa.report.costs import (
    Cost,
    all_parameters,
    cost_of,
    gpu_memory,
    main_memory,
    quantity,
    seconds_per_question,
    trained_parameters,
    training_flops,
    training_seconds,
)
from radvqa.report.curriculum import called, length_words
from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import UNDEFINED, count, duration, plural, size, without_folders
from radvqa.report.results_page.shelf import System
from radvqa.report.scored import Scored
from radvqa.report.selection import chosen_by


def costs_table(systems: Sequence[System]) -> Table | None:
    """Show what one run of each system cost; over several seeds time, operations and energy are means."""
    known = [system for system in systems if system.runs]
    rows = [
        Row(
            (
                system.label,
                _whole(system, all_parameters),
                _whole(system, trained_parameters),
                _each(system, _length),
                duration(_over(system, training_seconds)),
                quantity(_over(system, training_flops), "FLOP"),
                quantity(_over(system, _energy), "J"),
                size(_over(system, main_memory, max)),
                size(_over(system, gpu_memory, max)),
                _answer(_over(system, seconds_per_question)),
                _each(system, hardware),
            )
        )
        for system in known
    ]
    if not rows:
        return None
    columns = (
        "System",
        "Parameters",
        "Trained",
        "Length",
        "Time",
        "Operations",
        "Energy",
        "Memory",
        "GPU memory",
        "One answer",
        "Hardware",
    )
    notes = [
        "Of one run: time with its looks at the selection split, operations and energy are means over the seeds, "
        "memory is the most of any. Times compare only between runs of one machine that had nothing else to do.",
        *_how(known),
    ]
    words = frozenset({"Length", "Hardware"})
    return without_empty(Table("What it cost", columns, tuple(rows), tuple(notes), words))


def protocol_table(systems: Sequence[System]) -> Table | None:
    """Show by which protocol each system was made and measured."""
    known = [system for system in systems if system.runs]
    rows = [
        Row(
            (
                system.label,
                system.seeds,
                _each(system, _learned_from),
                _each(system, _chosen),
                _each(system, _tested),
                _each(system, _questions),
                _each(system, lambda run: str(run.scores.get("normaliser"))),
                _each(system, _made_with),
            )
        )
        for system in known
    ]
    if not rows:
        return None
    columns = ("System", "Seeds", "Learned from", "Chosen by", "Tested on", "Questions", "Normaliser", "Made with")
    words = frozenset(columns)
    return without_empty(Table("Protocol", columns, tuple(rows), (), words))


def _over(system: System, read: Cost, join: Callable[[list[float]], float] = fmean) -> float | None:
    found = [read(run) for run in system.runs.values()]
    known = [value for value in found if value is not None]
    return join(known) if len(known) == len(found) else None


def _whole(system: System, read: Cost) -> str:
    found = _over(system, read, max)
    return count(None if found is None else int(found))


def _energy(run: Scored) -> float | None:
    found = cost_of(run).get("energy_joules")
    return None if found is None else float(found)


def _answer(seconds: float | None) -> str:
    if seconds is None:
        return UNDEFINED
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.0095 else f"{1000 * seconds:.1f} ms"


def _length(run: Scored) -> str:
    """Write how long a run was to train: its epochs or steps, of a curriculum those of its stages together."""
    if run.stages:
        steps = sum(int(stage.get("steps") or 0) for stage in run.facts.get("stages") or [])
        return f"{plural(steps, 'step')} in {plural(len(run.stages), 'stage')}"
    return length_words(run.recipe.get("training", {})) or UNDEFINED


def _how(systems: Sequence[System]) -> Iterator[str]:
    runs = [run for system in systems for run in system.runs.values()]
    for key, said in (("flops_how", "Operations"), ("energy_how", "Energy")):
        texts = list(dict.fromkeys(str(cost_of(run)[key]) for run in runs if cost_of(run).get(key)))
        if texts:
            yield f"{said}: {'; '.join(texts)}."


def _each(system: System, read: Callable[[Scored], str]) -> str:
    """Write what holds for every run, or what holds for one or another."""
    return "; ".join(dict.fromkeys(read(run) for run in system.runs.values()))


def _learned_from(run: Scored) -> str:
    data = run.recipe.get("data", {})
    own = f"{data.get('name')} {data.get('train')}"
    if not run.stages:
        return own if data else UNDEFINED
    mixes = [
        " + ".join(str(without_folders(called(s))) for s in stage.get("data") or []) or own for stage in run.stages
    ]
    return " → ".join(mixes)


def _chosen(run: Scored) -> str:
    data, plan = run.recipe.get("data", {}), (run.stages or [run.recipe.get("training", {})])[-1]
    if not data or run.select_by is None:
        return UNDEFINED
    part = data.get("select_fraction")
    where = f"{100 * part:.3g} % of the {data.get('select')} images" if part else f"the {data.get('select')} split"
    return f"{chosen_by(run.select_by, plan.get('select_where'))}, {where}"


def _tested(run: Scored) -> str:
    return f"{run.scores.get('dataset')} {without_folders(run.scores.get('split'))}"


def _questions(run: Scored) -> str:
    unit = str(run.scores.get("clustered_by") or "cluster")
    return f"{count(run.scores['questions'])} on {plural(run.scores['clusters'], unit)}"


def _made_with(run: Scored) -> str:
    known: dict[str, Any] = run.provenance
    commit = str(known.get("git_commit") or "")
    changed = "+" if commit.endswith("+") else ""
    return " ".join([*([f"radvqa {known['radvqa']}"] if known.get("radvqa") else []), commit[:7] + changed]).strip()
