"""What runs cost, read from their folders: from ``cost`` in ``run.json``, or from what older runs say instead."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import UNDEFINED, count, duration, percent, size
from radvqa.report.scored import Scored

Cost = Callable[[Scored], float | None]


def cost_of(run: Scored) -> dict[str, Any]:
    """Return what the training loop measured; empty for a run of an older version and for a predictions file."""
    found = run.facts.get("cost")
    return found if isinstance(found, dict) else {}


def parameters(run: Scored) -> dict[str, Any]:
    """Return ``total`` and ``trainable``, with ``by_part`` where it was counted; empty when unknown."""
    found: dict[str, Any] = cost_of(run).get("parameters") or run.facts.get("parameters") or {}
    return found


def trained_parameters(run: Scored) -> float | None:
    """Return how many parameters were trained."""
    return _positive(parameters(run).get("trainable"))


def all_parameters(run: Scored) -> float | None:
    """Return how many parameters the model has."""
    return _positive(parameters(run).get("total"))


def training_seconds(run: Scored) -> float | None:
    """Return how long training took, with its evaluations, and without preparation where that was measured apart."""
    cost = cost_of(run)
    if cost.get("wall_seconds") is not None:
        return _positive(cost["wall_seconds"] + (cost.get("evaluation_seconds") or 0.0))
    return _positive(run.facts.get("training_seconds", run.facts.get("seconds")))


def training_flops(run: Scored) -> float | None:
    """Return the estimated floating-point operations of the training."""
    return _positive(cost_of(run).get("flops"))


def main_memory(run: Scored) -> float | None:
    """Return the most main memory that the process took, in bytes."""
    return _positive(cost_of(run).get("peak_memory_bytes") or run.facts.get("peak_memory_bytes"))


def gpu_memory(run: Scored) -> float | None:
    """Return the most GPU memory that tensors took, in bytes; None on a processor."""
    return _positive(cost_of(run).get("peak_gpu_memory_bytes"))


def seconds_per_question(run: Scored) -> float | None:
    """Return how long one answer took."""
    return _positive(run.answering.get("seconds_per_question"))


def _positive(value: float | None) -> float | None:
    return float(value) if value else None  # nothing has no place on a log axis


def cost_table(runs: Sequence[Scored]) -> Table | None:
    """Show what the training of each run took of the machine; None when no run measured it."""
    measured = [run for run in runs if cost_of(run)]
    if not measured:
        return None
    columns = (
        "Run",
        "Time in steps",
        "Time in evaluations",
        "Samples per second",
        "Tokens per second",
        "Waiting for data, %",
        "Peak memory",
        "Peak GPU memory",
        "Operations",
        "Operations per sample",
        "Utilisation, %",
        "Energy",
        "Interruptions",
    )
    rows = tuple(Row((run.name, *_cells(cost_of(run))), "run") for run in measured)
    return without_empty(Table("What training took", columns, rows, tuple(_notes(measured))))


def _cells(cost: dict[str, Any]) -> Iterator[str]:
    yield duration(cost.get("wall_seconds"))
    yield duration(cost.get("evaluation_seconds"))
    yield rate(cost.get("samples_per_second"))
    yield rate(cost.get("tokens_per_second"))
    yield percent(cost.get("data_waiting_share"))
    yield size(cost.get("peak_memory_bytes"))
    yield size(cost.get("peak_gpu_memory_bytes"))
    yield quantity(cost.get("flops"), "FLOP")
    yield quantity(cost.get("flops_per_sample"), "FLOP")
    yield percent(cost.get("utilisation"))
    yield quantity(cost.get("energy_joules"), "J")
    yield count(cost.get("interruptions"))


def _notes(runs: Sequence[Scored]) -> Iterator[str]:
    yield "Times, rates and memory compare only between runs of one machine that had nothing else to do."
    for key, said in (
        ("flops_how", "Operations"),
        ("peak_flops_how", "Utilisation is the operations per second of the steps, of the most that the device can do"),
        ("energy_how", "Energy"),
    ):
        by_text: dict[str, list[str]] = {}
        for run in runs:
            if text := cost_of(run).get(key):
                by_text.setdefault(str(text), []).append(run.name)
        for text, names in by_text.items():
            of_these = "" if len(by_text) == 1 else f" ({', '.join(names)})"
            yield f"{said}{of_these}: {text}."


def parameters_table(runs: Sequence[Scored]) -> Table | None:
    """Show the parameters of each part of each run's model; None when they were not counted by part."""
    rows = tuple(
        Row((run.name, part, count(found["total"]), count(found["trainable"]), _share(found)), "run")
        for run in runs
        for part, found in (parameters(run).get("by_part") or {}).items()
    )
    if not rows:
        return None
    columns = ("Run", "Part", "Parameters", "Of these trained", "Trained, %")
    return Table("Parameters by part", columns, rows, words=frozenset({"Part"}))


def _share(found: dict[str, int]) -> str:
    return percent(found["trainable"] / found["total"]) if found["total"] else UNDEFINED


def rate(value: float | None) -> str:
    """Write a number per second: ``1,240``, ``12.5``, ``0.034``."""
    if value is None:
        return UNDEFINED
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def quantity(value: float | None, unit: str) -> str:
    """Write a number with three digits and the unit's prefix: ``1.24 TFLOP``, ``36.0 kJ``."""
    if value is None:
        return UNDEFINED
    for prefix, factor in (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= 0.9995 * factor:
            digits = f"{value / factor:#.3g}".rstrip(".") if value < 999.5 * factor else f"{value / factor:,.0f}"
            return f"{digits} {prefix}{unit}"
    return f"{value:.3g} {unit}"
