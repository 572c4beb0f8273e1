"""Raw attention: what a layer's heads look at, as seed 002's figures 10 and 11 draw it.

It says what one layer mixes, not what the answer depends on; a state that looks at a patch may already hold others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from radvqa.errors import RadvqaError
from radvqa.explaining.attention.rollout import Rollout
from radvqa.explaining.attention.step import Carriers, Step


@dataclass
class Looks:
    """Attention of the answer and of the question, layer by layer; of each layer only these rows are kept.

    Carriers that are no patches but have looked at some (queries, the words of a question encoder) are traced back to
    the patches by rollout through the towers between, so that a map is always one of patches.

    Attributes:
        names: of the layers kept.
        told: from each of the answer's tokens to the patches, ``(h, t, n)``, layer by layer.
        asked: from the question's words to the patches, ``(h, l, n)``; zeros for words that do not look.
        words: from each of the answer's tokens to the question's words, ``(h, t, l)``.
    """

    names: list[str] = field(default_factory=list)
    told: list[Tensor] = field(default_factory=list)
    asked: list[Tensor] = field(default_factory=list)
    words: list[Tensor] = field(default_factory=list)


class Looking:
    """Collects ``Looks`` as steps come.

    Args:
        carriers: the axis.
        stack: in which the answer is told.
    """

    def __init__(self, carriers: Carriers, stack: str) -> None:
        self.looks, self._stack, self._carriers = Looks(), stack, carriers
        self._below = Rollout(carriers)

    def add(self, step: Step) -> None:
        """Take the next step, from the bottom to the top; the rows of one layer may come in parts."""
        if step.stack == "vision":
            return
        if step.stack != self._stack:
            self._below.add(step)
            return
        looks, carriers = self.looks, self._carriers
        if step.name not in looks.names:
            self._begin(step)
        place = looks.names.index(step.name)
        weights = step.weights.detach().float()
        traced = self._below.traced[step.looked_at]
        patches, words = weights @ traced[:, carriers.patches], weights @ traced[:, carriers.words]
        rows = {carrier: row for row, carrier in enumerate(step.looking.tolist())}
        for row, carrier in enumerate(carriers.told.tolist()):
            if carrier in rows:
                looks.told[place][:, row] = patches[:, rows[carrier]]
                looks.words[place][:, row] = words[:, rows[carrier]]
        for row, carrier in enumerate(carriers.words.tolist()):
            if carrier in rows:
                looks.asked[place][:, row] = patches[:, rows[carrier]]

    def _begin(self, step: Step) -> None:
        told, words, patches = (
            len(part) for part in (self._carriers.told, self._carriers.words, self._carriers.patches)
        )
        self.looks.names.append(step.name)
        self.looks.told.append(torch.zeros(step.heads, told, patches))
        self.looks.words.append(torch.zeros(step.heads, told, words))
        self.looks.asked.append(torch.zeros(step.heads, words, patches))


def on_picture(looks: Looks) -> NDArray[np.float32]:
    """How much each head looks at the picture when the answer is told, ``(layers, h)``; missing heads are 0."""
    sums = [layer.sum(2).mean(1).cpu().numpy() for layer in looks.told]
    most = max((len(one) for one in sums), default=0)
    return np.array([np.pad(one, (0, most - len(one))) for one in sums], np.float32).reshape(len(sums), most)


def chosen(layers: Sequence[Tensor], names: Sequence[str], layer: int | None, head: int | None) -> Tensor:
    """Average over layers and heads, or one of each, ``(t, n)``.

    Args:
        layers: each ``(h, t, n)``.
        names: of the layers.
        layer: counted from 0, or from the last with -1; the mean over all by default.
        head: counted from 0; the mean over all by default.

    Raises:
        RadvqaError: when there is no such layer or head.
    """
    if not layers:
        raise RadvqaError("No layer of this model looks from the answer to the picture.")
    if layer is not None and not -len(layers) <= layer < len(layers):
        raise RadvqaError(f"There is no layer {layer}; the model has {len(layers)}, 0 to {len(layers) - 1}.")
    some = layers if layer is None else [layers[layer]]
    heads = min(one.shape[0] for one in some)
    if head is not None and not 0 <= head < heads:
        raise RadvqaError(f"There is no head {head} in {', '.join(names[:1])}; layers have {heads}, 0 to {heads - 1}.")
    return torch.stack([one.mean(0) if head is None else one[head] for one in some]).mean(0)
