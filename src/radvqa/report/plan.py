"""Terminal text of a plan: what each stage does, and about what it costs."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from radvqa.report.grid import Row, Table, print_table, without_empty
from radvqa.report.numbers import UNDEFINED, count, duration, percent, plural, size

_WIDTH = 110  # letters of a line of running text


def show_plan(plan: Mapping[str, Any]) -> None:
    """Print a plan: stages, sources, totals, and what could not be found out."""
    print_table(_stages(plan))
    print_table(without_empty(_sources(plan)))
    for line in _sentences(plan):
        print(textwrap.fill(line, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))


def _stages(plan: Mapping[str, Any]) -> Table:
    columns = ("Stage", "Length", "Steps", "Batch", "Questions", "Tokens", "Learning rate", "What learns", "Chosen by")
    rows = tuple(
        Row(
            (
                stage["name"],
                stage["length"],
                count(stage["steps"]),
                count(stage["batch_size"]),
                count(stage["questions"]),
                about(count(stage["tokens"])),
                rates(stage),
                learned(stage),
                chosen(stage),
            )
        )
        for stage in plan["stages"]
    )
    words = frozenset({"Length", "Learning rate", "What learns", "Chosen by"})
    return without_empty(Table(f"{plan['recipe']}: {plan['title']}", columns, rows, words=words))


def _sources(plan: Mapping[str, Any]) -> Table:
    columns = ("Learned from", "Stage", "Data", "Kept", "Samples", "Pictures", "Times", "Share %", "Put as", "Prompts")
    rows = tuple(
        Row(
            (
                source["name"],
                stage["name"],
                source["data"],
                ", ".join(f"{field}: {_value(value)}" for field, value in source["where"].items()),
                count(source["samples"]),
                count(source["pictures"]),
                "" if source["repeat"] == 1 else count(source["repeat"]),
                share(source),
                ", ".join(source["tasks"]),
                " | ".join(source["prompts"]),
            )
        )
        for stage in plan["stages"]
        for source in stage["sources"]
    )
    words = frozenset({"Stage", "Data", "Kept", "Put as", "Prompts"})
    return Table("Samples", columns, rows, words=words)


def _sentences(plan: Mapping[str, Any]) -> Iterator[str]:
    totals = plan["totals"]
    tokens = "" if totals["tokens"] is None else f", about {count(totals['tokens'])} tokens"
    yield (
        f"In all: {plural(totals['samples'], 'sample')}, {count(totals['steps'])} steps, "
        f"{count(totals['questions'])} questions{tokens}; {count(totals['parameters'])} parameters."
    )
    yield from map(apart_words, plan["left_apart"])
    for stage in plan["stages"]:
        seconds = stage["seconds"]
        if seconds is not None:
            yield (
                f"{stage['name']}: {about(duration(seconds['all']))} on this {plan['device']} (preparing pictures "
                f"{duration(seconds['preparing'])}, learning {duration(seconds['learning'])}, "
                f"{plural(stage['looks'], 'look')} at the selection questions {duration(seconds['looking'])})."
            )
    if totals["seconds"] is not None:
        yield (
            f"Time on this machine: {about(duration(totals['seconds']))}; memory: "
            f"{about(size(totals['peak_memory_bytes']))}. Both from a few steps of each stage, on what the machine is "
            f"doing besides."
        )
    yield from plan["unknown"]
    for sentence in plan["left_out"]:
        yield f"left out: {sentence}"


def apart_words(entry: Mapping[str, Any]) -> str:
    """``captions: medpix2:captions without 10 samples about 10 pictures of vqa_rad:official test …``."""
    near = f" ({count(entry['near'])} of them nearly)" if entry["near"] else ""
    return (
        f"{entry['stage']}: {entry['source']} without {plural(entry['samples'], 'sample')} about "
        f"{plural(entry['pictures'], 'picture')} that {entry['of']} holds too{near}."
    )


def about(text: str) -> str:
    """Say that a number is an estimate."""
    return text if text == UNDEFINED else f"about {text}"


def rates(stage: Mapping[str, Any]) -> str:
    """``0.0003 cosine; vision 1e-05``."""
    own = "".join(f"; {part} {rate:g}" for part, rate in stage["learning_rates"].items())
    moved = stage["annealed"]
    end = f", × {moved['learning_rate']:g} at the end" if moved and moved["learning_rate"] != 1 else ""
    return f"{stage['learning_rate']:g} {stage['schedule']}{own}{end}"


def learned(stage: Mapping[str, Any]) -> str:
    """What learns: parts with their kind and their trained parameters, or what is known of it."""
    counts = stage["learned"]
    if counts is None:
        return "by data"
    modes = stage["modes"]
    by_part = {name: part["trainable"] for name, part in counts["by_part"].items() if part["trainable"]}
    named = [f"{name}{_kind(modes.get(name))} {count(number)}" for name, number in by_part.items()]
    if not named:
        named = [f"{name}{_kind(mode)}" for name, mode in modes.items() if mode != "frozen"]
    return f"{count(counts['trainable'])}" + (f": {', '.join(named)}" if named else "")


def chosen(stage: Mapping[str, Any]) -> str:
    """``accuracy of 1,053 (slake:en validate), 10 looks``."""
    where = ", ".join(f"{field}: {_value(value)}" for field, value in stage["chosen_where"].items())
    only = f" where {where}" if where else ""
    looks = "" if stage["looks"] is None else f", {plural(stage['looks'], 'look')}"
    stop = "" if stage["patience"] is None else f", ends after {plural(stage['patience'], 'look')} without gain"
    on = stage["chosen_on"]
    return f"{stage['chosen_by']}{only} on {count(on['samples'])} of {on['data']}{looks}{stop}"


def share(source: Mapping[str, Any]) -> str:
    """``40.0 → 0.0`` where it moves, else ``40.0``."""
    begin, end = percent(source["share_begin"]), percent(source["share_end"])
    return begin if begin == end else f"{begin} → {end}"


def _kind(mode: str | None) -> str:
    return f" ({mode})" if mode else ""


def _value(value: Any) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) else str(value)
