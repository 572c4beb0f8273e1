"""A part of a data set: by what its samples are, or so many of them; and samples put to another use."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from radvqa.sample import Sample, Task


def where(samples: Sequence[Sample], wanted: Mapping[str, Any]) -> list[Sample]:
    """Keep samples whose fields have the wanted value, or one of the wanted values; letters' case does not count."""
    if not wanted:
        return list(samples)
    values = {
        field: {_plain(v) for v in (value if isinstance(value, list | tuple) else [value])}
        for field, value in wanted.items()
    }
    return [s for s in samples if all(_plain(getattr(s, field)) in known for field, known in values.items())]


def capped(samples: Sequence[Sample], count: int | None) -> list[Sample]:
    """Keep at most so many samples, in their order.

    Pictures are taken in a pseudo-random order that depends on their names alone, each with all its questions until
    the last, so that what is kept of a smaller count is kept of a larger one.
    """
    if count is None or count >= len(samples):
        return list(samples)
    order = sorted(range(len(samples)), key=lambda row: (_hash(samples[row].image), samples[row].image, row))
    return [samples[row] for row in sorted(order[:count])]


def put_as(samples: Sequence[Sample], task: Task | None, prompts: Sequence[str]) -> list[Sample]:
    """Put samples as another task, and with other prompts; of several prompts a sample always gets the same one."""
    if task is None and not prompts:
        return list(samples)
    return [
        replace(
            sample,
            task=task or sample.task,
            prompt=prompts[_hash(sample.id) % len(prompts)] if prompts else sample.prompt,
        )
        for sample in samples
    ]


def _plain(value: Any) -> str:
    return str(value).lower()


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
