"""What questions are written from: the caption of a picture, what is known of it, and the text of its case."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from radvqa.sample import Sample

LONGEST = 6_000
"""Characters of a caption or case text that a model is shown; the rest of a longer one is cut, and said to be."""

_FACT = re.compile(r"^(?P<name>[A-Z][A-Za-z ]{1,30}): (?P<text>.+)$")
_OF_PICTURE = ("Modality", "Plane", "Location")
_COMMANDS = re.compile(
    r"\b(?:ignore|disregard|forget)\b[^.\n]{0,40}\b(?:above|previous|prior|earlier|instructions?|prompt)\b"
    r"|\b(?:system prompt|you are (?:now|an? (?:ai|assistant|language model))|new instructions?)\b"
    r"|<\|[a-z_]+\|>|\[/?INST\]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Material:
    """One picture with its texts.

    Attributes:
        sample: the caption as the data set has it.
        caption: without surplus spaces.
        facts: of the picture, by name: modality, plane, location.
        context: text of the case, without what is in ``facts``.
        notes: what is odd about the texts: ``cut`` (longer than a model is shown), ``commands`` (they speak to a
            model), ``empty``.
    """

    sample: Sample
    caption: str
    facts: tuple[tuple[str, str], ...]
    context: str
    notes: tuple[str, ...] = ()


def materials(samples: Iterable[Sample]) -> list[Material]:
    """Turn captions into material, in their order; equal ones about the same picture are taken once."""
    found: dict[tuple[str, str], Material] = {}
    for sample in samples:
        material = _material(sample)
        found.setdefault((sample.image, material.caption), material)
    return list(found.values())


def _material(sample: Sample) -> Material:
    caption = " ".join(sample.answer.split())
    facts, rest = _parted(sample.context.splitlines())
    context = "\n".join(rest)
    notes = [name for name, found in _odd(caption, context) if found]
    known = dict(facts) if facts else {}
    if sample.modality:
        known.setdefault("Modality", sample.modality)
    if sample.organ:
        known.setdefault("Location category", sample.organ)
    return Material(sample, caption, tuple(known.items()), context, tuple(notes))


def _odd(caption: str, context: str) -> Iterator[tuple[str, bool]]:
    yield "empty", not caption
    yield "cut", max(len(caption), len(context)) > LONGEST
    yield "commands", bool(_COMMANDS.search(caption) or _COMMANDS.search(context))


def _parted(lines: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Part what is said of the picture from what is said of the case."""
    facts: list[tuple[str, str]] = []
    rest: list[str] = []
    for line in lines:
        found = _FACT.match(line)
        if found and found["name"] in _OF_PICTURE and not rest:
            facts.append((found["name"], found["text"].strip()))
        else:
            rest.append(line)
    return facts, rest
