"""The co-attention head in NumPy: where organs lie, looks at the picture guided by the question, and the answers.

It computes what the family ``coattention`` computes in evaluation mode with one member, on one picture.

Letters: ``n`` patches, ``d`` size of a patch's features, ``k`` labels of regions, ``p`` size of the picture's vector,
``a`` answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radvqa.starter.arithmetic import LayerNorm, Linear, gelu, sigmoid, softmax
from radvqa.starter.packing import Array, unpack

_PLACE_WAVES = (1.57, 3.14, 6.28)  # radians across half a picture
_REGION_SCALE = np.float32(3)


@dataclass(frozen=True)
class Looked:
    """A picture as the head sees it.

    Attributes:
        patches: standardised, with readings of regions and places beside them, ``(n, d + k + places)``.
        picture: the picture's vector in the same manner, mapped to the joint state, ``(hidden,)``.
    """

    patches: Array
    picture: Array


class Coattention:
    """The head of one member.

    Args:
        tensors: packed, by the names that the family's module gives them.
        heads: places looked at in one hop.
        hops: looks at the picture.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], heads: int, hops: int) -> None:
        self._heads = heads
        self._statistics = {
            part: (unpack(f"{part}_mean", tensors), unpack(f"{part}_spread", tensors)) for part in ("patch", "picture")
        }
        self._regions = [Linear.unpack(f"regions.net.{place}", tensors) for place in (1, 4)]
        net = "members.0"
        self._asked = (
            LayerNorm.unpack(f"{net}.question_state.0", tensors),
            Linear.unpack(f"{net}.question_state.2", tensors),
        )
        self._picture = (
            Linear.unpack(f"{net}.picture_state.1", tensors),
            LayerNorm.unpack(f"{net}.picture_state.2", tensors),
        )
        self._hops = [
            (
                Linear.unpack(f"{net}.queries.{hop}", tensors),
                Linear.unpack(f"{net}.seen.{hop}.1", tensors),
                LayerNorm.unpack(f"{net}.seen.{hop}.2", tensors),
            )
            for hop in range(hops)
        ]
        self._mixed, self._mixed_norm, self._answers = (
            Linear.unpack(f"{net}.classifier.0", tensors),
            LayerNorm.unpack(f"{net}.classifier.1", tensors),
            Linear.unpack(f"{net}.classifier.4", tensors),
        )

    def look(self, patches: Array, pooled: Array) -> Looked:
        """Read regions off a picture and lay them and the places beside its patches, once for all questions.

        Args:
            patches: of the frozen backbone, ``(n, d)``.
            pooled: the picture's vector of the frozen backbone, ``(p,)``.
        """
        standard = (_as_kept(patches) - self._statistics["patch"][0]) / self._statistics["patch"][1]
        side = round(len(patches) ** 0.5)
        first, second = self._regions
        read = sigmoid(second(gelu(first(np.concatenate([standard, _rows_and_columns(side)], 1)))))
        summary = np.concatenate([read.max(0), 4 * read.mean(0)]) * _REGION_SCALE
        beside = np.concatenate([standard, np.sqrt(read) * _REGION_SCALE, _places(side)], 1)
        picture = np.concatenate([(pooled - self._statistics["picture"][0]) / self._statistics["picture"][1], summary])
        narrow, norm = self._picture
        return Looked(_as_kept(beside), gelu(norm(narrow(picture))))

    def __call__(self, question: Array, seen: Looked) -> Array:
        """Score answers to a question that was read, ``(a,)``."""
        norm, narrow = self._asked
        asked = gelu(narrow(norm(question)))
        both = asked * seen.picture
        state = asked + both
        size = seen.patches.shape[1]
        for query, found, found_norm in self._hops:
            scores = query(state).reshape(self._heads, size) @ seen.patches.T * np.float32(size**-0.5)
            state = state + found_norm(found((softmax(scores) @ seen.patches).reshape(-1)))
        mixed = gelu(self._mixed_norm(self._mixed(np.concatenate([state, asked, both]))))
        return self._answers(mixed)


def _as_kept(values: Array) -> Array:
    """Round to half precision, in which patches are kept for training."""
    return values.astype(np.float16).astype(np.float32)


def _rows_and_columns(side: int) -> Array:
    """Row and column of each patch, one-hot, ``(side², 2 side)``."""
    one = np.eye(side, dtype=np.float32)
    return np.concatenate([np.repeat(one, side, 0), np.tile(one, (side, 1))], 1)


def _places(side: int) -> Array:
    """Where each patch lies: coordinates in [-1, 1] and their sines and cosines, ``(side², places)``."""
    down, across = np.meshgrid(*[np.linspace(-1, 1, side, dtype=np.float32)] * 2, indexing="ij")
    waves = [wave(axis * np.float32(k)) for axis in (across, down) for k in _PLACE_WAVES for wave in (np.sin, np.cos)]
    return np.stack([*waves, across, down], -1).reshape(side * side, -1)
