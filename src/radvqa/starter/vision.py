"""DINOv2 in NumPy: a picture's patches and its one vector (Oquab et al., DINOv2, TMLR 2024).

Letters: ``s`` side in pixels, ``p`` side of a patch in pixels, ``n`` patches, ``t`` tokens (the class token and the
patches), ``d`` feature size, ``h`` heads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radvqa.starter.arithmetic import LayerNorm, Linear, gelu, softmax
from radvqa.starter.packing import Array, unpack


@dataclass(frozen=True)
class VisionFacts:
    """What the weights do not tell.

    Attributes:
        heads: of attention.
        layers: number of them.
        norm_epsilon: of layer normalisation.
        patch_size: in pixels.
        side: of the pictures, in pixels.
        mean: of each channel, in [0, 1].
        std: of each channel.
    """

    heads: int
    layers: int
    norm_epsilon: float
    patch_size: int
    side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


class Vision:
    """A frozen DINOv2.

    Args:
        tensors: packed, by the names that the hub gives them.
        facts: what they do not tell.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], facts: VisionFacts) -> None:
        self._patch_size = facts.patch_size
        self._embedding = Linear.unpack("embeddings.patch_embeddings.projection", tensors)
        self._class_token = unpack("embeddings.cls_token", tensors)[0]
        self._places = unpack("embeddings.position_embeddings", tensors)[0]
        self._blocks = [_Block(f"encoder.layer.{number}", tensors, facts) for number in range(facts.layers)]
        self._norm = LayerNorm.unpack("layernorm", tensors, facts.norm_epsilon)
        self._mean, self._std = np.array(facts.mean, np.float32), np.array(facts.std, np.float32)

    def __call__(self, pixels: NDArray[np.uint8]) -> tuple[Array, Array]:
        """Read a picture.

        Args:
            pixels: grey ``(s, s)`` or colour ``(s, s, 3)``.

        Returns:
            The patches, row by row, ``(n, d)``, and the class token and the patches' mean side by side, ``(2 d,)``.
        """
        colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, -1)
        standard = (colour.astype(np.float32) / np.float32(255) - self._mean) / self._std
        tokens = np.concatenate([self._class_token, self._embedding(self._patches(standard))]) + self._places
        for block in self._blocks:
            block(tokens)
        read = self._norm(tokens)
        return read[1:], np.concatenate([read[0], read[1:].mean(0)])

    def _patches(self, picture: Array) -> Array:
        """Cut ``(s, s, 3)`` into patches, each channel by channel, ``(n, 3 p²)``."""
        size = self._patch_size
        rows = picture.shape[0] // size
        cut = picture.reshape(rows, size, rows, size, 3)
        return np.ascontiguousarray(cut.transpose(0, 2, 4, 1, 3)).reshape(rows * rows, -1)


class _Block:
    """One layer: attention and two linear layers, each on normalised tokens, scaled and added."""

    def __init__(self, name: str, tensors: Mapping[str, NDArray[Any]], facts: VisionFacts) -> None:
        self._heads = facts.heads
        self._norms = [LayerNorm.unpack(f"{name}.norm{number}", tensors, facts.norm_epsilon) for number in (1, 2)]
        self._scales = [unpack(f"{name}.layer_scale{number}.lambda1", tensors) for number in (1, 2)]
        self._attended = Linear.unpack(f"{name}.attention.output.dense", tensors)
        self._wide = Linear.unpack(f"{name}.mlp.fc1", tensors)
        self._narrow = Linear.unpack(f"{name}.mlp.fc2", tensors)
        size = len(self._attended.weight)
        weight, bias = np.empty((3 * size, size), np.float32), np.empty(3 * size, np.float32)
        for number, role in enumerate(("query", "key", "value")):  # one product for the three
            part = slice(number * size, (number + 1) * size)
            unpack(f"{name}.attention.attention.{role}.weight", tensors, out=weight[part])
            unpack(f"{name}.attention.attention.{role}.bias", tensors, out=bias[part])
        self._asked = Linear(weight, bias)

    def __call__(self, tokens: Array) -> None:
        """Add to the tokens ``(t, d)`` what the layer finds."""
        tokens += self._attended(self._attention(self._norms[0](tokens))) * self._scales[0]
        tokens += self._narrow(gelu(self._wide(self._norms[1](tokens)))) * self._scales[1]

    def _attention(self, tokens: Array) -> Array:
        count, size = tokens.shape
        each = size // self._heads
        query, key, value = self._asked(tokens).reshape(count, 3, self._heads, each).transpose(1, 2, 0, 3)
        scores = query @ key.transpose(0, 2, 1)  # (h, t, t)
        scores *= np.float32(each**-0.5)
        return (softmax(scores) @ value).transpose(1, 0, 2).reshape(count, size)
