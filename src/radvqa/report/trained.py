"""What ``radvqa train`` says at its end: which weights were kept and why, and what it cost; a few lines."""

from collections.abc import Iterator
from typing import IO, Any

from radvqa.report.costs import cost_of, gpu_memory, main_memory, parameters, quantity, rate
from radvqa.report.curriculum import Stage, by_epoch, ended, stages_of
from radvqa.report.numbers import count, duration, percent, plural, size
from radvqa.report.scored import Scored
from radvqa.report.selection import chosen_by, value_words
from radvqa.run import Run


def show_trained(run: Run, stream: IO[str] | None = None) -> None:
    """Print the summary of a finished run.

    Args:
        run: the run.
        stream: where to print; stdout by default.
    """
    for line in trained_lines(run):
        print(line, file=stream)


def trained_lines(run: Run) -> list[str]:
    """Return the summary of a finished run, line by line."""
    known = Scored.from_run(run, run.answers(), {})
    stages = stages_of(known)
    several = bool(known.stages) and len(stages) > 1
    kept = [f"{run.folder}: {_stages(stages)}", *_by_stage(stages)] if several else [_kept(run, known)]
    counted = parameters(known)
    trained = f"{count(counted.get('trainable'))} of {count(counted.get('total'))} parameters trained"
    return [*kept, f"  {trained}{_parts(known)}", *(f"  {line}" for line in _cost(known))]


def _kept(run: Run, known: Scored) -> str:
    """Say which look of a run without stages was kept."""
    facts = known.facts
    selected = facts.get("selected", {})
    metric, value = selected.get("metric"), selected.get("value")
    if not facts.get("best_epoch"):
        return (
            f"{run.folder}: nothing is trained; {chosen_by(metric)} {value_words(metric, value)} on the selection split"
        )
    stages = stages_of(known)
    early = f", ended {ended(stages[0])}" if stages and stages[0].facts.get("stopped_early") else ""
    where = stages[0].where if stages else None
    return (
        f"{run.folder}: {'epoch' if by_epoch(known) else 'look'} {facts['best_epoch']} of {facts['epochs']} chosen by "
        f"{chosen_by(metric, where)}, {value_words(metric, value)} on the selection split{early}"
    )


def _stages(stages: tuple[Stage, ...]) -> str:
    return f"{plural(len(stages), 'stage')}, {plural(stages[-1].ends, 'step')}"


def _by_stage(stages: tuple[Stage, ...]) -> Iterator[str]:
    names = [f"{stage.number} {stage.name}" for stage in stages]
    steps = [plural(stage.ends - stage.begins, "step") for stage in stages]
    wide, long = max(map(len, names)), max(map(len, steps))
    for stage, name, length in zip(stages, names, steps, strict=True):
        look = f"look {stage.facts.get('best_look')} of {stage.facts.get('looks')}"
        chosen = f"chosen by {chosen_by(stage.metric, stage.where)}, {value_words(stage.metric, stage.value)}"
        early = f"; ended {ended(stage)}" if stage.facts.get("stopped_early") else ""
        yield f"  {name:{wide}}  {length:>{long}}  {look} {chosen}{early}"


def _parts(known: Scored) -> str:
    """Name the parts that learned, with what of them did."""
    taught = {part: found for part, found in known.parts.items() if found["trainable"]}
    if len(taught) == 0 or all(found["trainable"] == found["total"] for found in known.parts.values()):
        return ""
    return ": " + ", ".join(f"{part} {_amount(found)}" for part, found in taught.items())


def _amount(found: dict[str, Any]) -> str:
    whole = found["trainable"] == found["total"]
    return count(found["trainable"]) + ("" if whole else f" of {count(found['total'])}")


def _cost(known: Scored) -> Iterator[str]:
    cost = cost_of(known)
    said = [f"{duration(known.facts.get('seconds'))} in all"]
    if cost.get("samples"):
        said.append(
            f"{duration(cost.get('wall_seconds'))} in steps at {rate(cost.get('samples_per_second'))} samples/s"
        )
        if cost.get("tokens_per_second") is not None:
            said[-1] += f", {rate(cost['tokens_per_second'])} tokens/s"
    yield "; ".join(said)
    more = []
    if cost.get("data_waiting_share") is not None:
        more.append(f"waiting for data {percent(cost['data_waiting_share'])} % of the steps' time")
    if cost.get("utilisation") is not None:
        more.append(
            f"about {quantity(cost.get('flops'), 'FLOP')}, {percent(cost['utilisation'])} % of the device's speed"
        )
    memory = [f"{size(main_memory(known))} of memory"] if main_memory(known) else []
    memory += [f"{size(gpu_memory(known))} of the GPU's"] if gpu_memory(known) else []
    if memory:
        more.append(f"at most {' and '.join(memory)}")
    if cost.get("energy_joules") is not None:
        more.append(f"{quantity(cost['energy_joules'], 'J')} of energy")
    if cost.get("interruptions"):
        more.append(f"interrupted {plural(cost['interruptions'], 'time')}")
    if more:
        yield "; ".join(more)
