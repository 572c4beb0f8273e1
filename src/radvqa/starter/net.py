"""The starter's net: a picture is looked at once, then any number of questions about it are scored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from radvqa.data import image
from radvqa.starter.coattention import Coattention, Looked
from radvqa.starter.file import Tensors, behind
from radvqa.starter.gate import coloured
from radvqa.starter.packing import Array
from radvqa.starter.question import QuestionReader
from radvqa.starter.vision import Vision, VisionFacts


@dataclass(frozen=True)
class NetFacts:
    """What the tensors do not tell.

    Attributes:
        vision: of the backbone.
        heads: places looked at in one hop.
        hops: looks at the picture.
        words: of the questions, by frequency.
        normaliser: name of the normaliser that questions pass first.
        length: questions are cut to this many words.
        answers: as people write them, in order of their class.
    """

    vision: VisionFacts
    heads: int
    hops: int
    words: tuple[str, ...]
    normaliser: str
    length: int
    answers: tuple[str, ...]

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "NetFacts":
        """Undo ``dataclasses.asdict``, also after JSON."""
        vision = VisionFacts(**{key: _tuple(value) for key, value in values["vision"].items()})
        return cls(**{**{key: _tuple(value) for key, value in values.items()}, "vision": vision})


@dataclass(frozen=True)
class Seen:
    """A picture that was looked at.

    Attributes:
        pooled: the backbone's vector, ``(p,)``.
        colour: share of its pixels that have a colour.
        looked: as the head sees it.
    """

    pooled: Array
    colour: float
    looked: Looked


class Net:
    """Backbone and head.

    Args:
        tensors: packed, those of the backbone behind ``vision.`` and those of the head behind ``head.``.
        facts: what they do not tell.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], facts: NetFacts) -> None:
        self.facts = facts
        head: Tensors = behind(tensors, "head")
        self.question = QuestionReader(head, "members.0.question", facts.words, facts.normaliser, facts.length)
        self._vision = Vision(behind(tensors, "vision"), facts.vision)
        self._head = Coattention(head, facts.heads, facts.hops)

    def resized(self, pixels: image.Pixels) -> image.Pixels:
        """Stretch a decoded picture to the square that the net reads."""
        return image.resize(pixels, self.facts.vision.side, self.facts.vision.side)

    def look(self, pixels: image.Pixels) -> Seen:
        """Look at a picture, grey ``(h, w)`` or colour ``(h, w, 3)``."""
        small = self.resized(pixels)
        patches, pooled = self._vision(small)
        return Seen(pooled, coloured(small), self._head.look(patches, pooled))

    def logits(self, question: str, seen: Seen) -> Array:
        """Score every answer, ``(answers,)``."""
        return self._head(self.question(question), seen.looked)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
