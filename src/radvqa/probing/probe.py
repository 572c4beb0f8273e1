"""The seam for probes: what a file of ``probes/`` must offer to be asked of every model."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from radvqa.probing.pictures import PictureFolder
from radvqa.registry import Registry
from radvqa.sample import Sample
from radvqa.text import Normaliser

Kind = Literal["image", "question", "both"]
Group = Literal["no picture", "wrong picture", "mild change", "text in the picture", "question"]


@dataclass(frozen=True)
class Context:
    """What a probe gets beside the samples.

    Attributes:
        split: every sample of the split but those whose picture is known to be unusable, also those that are not
            asked: wrong pictures, wrong answers and means are taken from here, so that they are the same whatever part
            is asked.
        normaliser: of questions and answers.
        pictures: where changed pictures of this probe are written.
    """

    split: Sequence[Sample]
    normaliser: Normaliser
    pictures: PictureFolder


@dataclass(frozen=True, slots=True)
class ProbedSample:
    """A changed sample.

    Attributes:
        sample: with the id of the original; its gold answer is that of the changed question.
        injected: the wrong answer that the picture states; else empty.
    """

    sample: Sample
    injected: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """One way to change samples.

    Attributes:
        title: how tables name it.
        changes: what it changes, in one or two sentences.
        kind: which of a sample's two parts it changes.
        group: what it asks of the model; tables put probes of one group together.
        apply: changes samples; those that it cannot change are left out. The same samples always change alike.
    """

    title: str
    changes: str
    kind: Kind
    group: Group
    apply: Callable[[Sequence[Sample], Context], list[ProbedSample]]


BLIND = ("blank", "noise", "question_only", "swapped_other_organ")
"""Probes after which nothing of the right picture is left; who looks at pictures answers worse after each of them."""

PROBES: Registry[Probe] = Registry("radvqa.probing.probes", "PROBE")
"""Every probe by name."""


def in_order() -> list[str]:
    """Name all probes, group by group."""
    groups = get_args(Group)
    return sorted(PROBES, key=lambda name: (groups.index(PROBES[name].group), name))


def seed_of(*texts: str) -> int:
    """Turn texts into a seed that is the same in every process and on every machine."""
    return int.from_bytes(hashlib.sha256("\n".join(texts).encode()).digest()[:8], "little")
