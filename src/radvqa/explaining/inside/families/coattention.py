"""Co-attention, opened: each hop of each member is a look of many heads at the patches."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from radvqa.explaining.attention.step import Carriers, Step
from radvqa.explaining.inside.axis import Axis
from radvqa.explaining.inside.classifying import OpenedClassifier, widened
from radvqa.explaining.inside.opened import Features, Mixing
from radvqa.explaining.inside.seen import seen_from
from radvqa.explaining.inside.vision import VisionSteps, square, tower_features


class OpenedCoattention(OpenedClassifier):
    """Question states look at patches, hop after hop."""

    net: Any

    def logits(self, values: Tensor, rows: Tensor) -> Tensor:
        """Score answers from pixels with every member, ``(k, b, c)``."""
        patches, pictures = seen_from(self.net, widened(self.module, values))
        inputs = self.prepared.inputs
        sentences = inputs.sentences[inputs.questions.rows[rows]] if inputs.sentences is not None else None
        given = (inputs.questions, rows, sentences, patches, pictures)
        return torch.stack([member(*given) for member in self.net.net.members])

    @property
    def features(self) -> Features:
        """Of the backbone."""
        return tower_features(self.net.vision, int(self.net.options.image_size))

    def mixing(self) -> Mixing:
        """Hops of all members; each has a state of its own, and all of them tell the answer."""
        return CoattentionMixing(self.net.side**2, len(self.net.net.members), "members.")


class CoattentionMixing:
    """Carriers: patches, what stands before them, and a state for each member.

    Args:
        patches: of the picture.
        members: that look.
        looking: how the names of the modules that look begin; what follows is the member's number.
    """

    stack = "fusion"

    def __init__(self, patches: int, members: int, looking: str) -> None:
        axis = Axis()
        shown, before, self._states = axis.take(patches), axis.take(8), axis.take(members)
        self._vision, self._looking = VisionSteps(shown, before), looking
        self._hops = [0] * members
        self.carriers = Carriers(axis.count, shown, torch.empty(0, dtype=torch.long), self._states, square(patches))

    def steps(self, name: str, weights: Tensor) -> Iterator[Step]:
        """A hop, or a layer of the backbone."""
        if name.startswith("vision."):
            yield from self._vision.steps(name, weights)
        elif name.startswith(self._looking) and weights.ndim == 3:
            member = int(name.removeprefix(self._looking).split(".")[0])
            hop, state = f"hop {self._hops[member]}", self._states[member : member + 1]
            self._hops[member] += 1
            yield Step(hop, self.stack, weights[0][:, None], state, self.carriers.patches, captured=weights)

    def finish(self) -> tuple[Step, ...]:
        """Nothing is left."""
        return ()


OPEN = OpenedCoattention
