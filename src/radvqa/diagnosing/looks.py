"""Vectors that say what pictures look like: of an image backbone where one is at hand, else of a small grey copy."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radvqa import fingerprint
from radvqa.data import image
from radvqa.data.leaks.looks import thumbnail
from radvqa.errors import ImageError

_SIDE = 224


@dataclass(frozen=True, eq=False)
class Looks:
    """What pictures look like.

    Attributes:
        names: image names.
        vectors: ``(images, d)``.
        source: what made the vectors, in words.
    """

    names: tuple[str, ...]
    vectors: NDArray[np.float32]
    source: str


def grey_looks(pictures: Mapping[str, Path]) -> Looks:
    """Describe pictures by a grey copy of 32 × 32, scaled to zero mean and unit spread; needs no weights."""
    names, rows = [], []
    for name, path in pictures.items():
        try:
            small = thumbnail(image.decode(path)).astype(np.float32).ravel()
        except ImageError:
            continue
        names.append(name)
        rows.append((small - small.mean()) / (small.std() + 1))  # one grey level, so that noise on black stays small
    return Looks(tuple(names), np.array(rows, np.float32), "grey copies of 32 × 32 pixels")


def backbone_looks(pictures: Mapping[str, Path], backbone: str) -> Looks:
    """Describe pictures by the mean patch feature of an image backbone, computed once for each file content.

    Args:
        pictures: image name → file; unreadable ones are left out.
        backbone: ``org/name`` or a folder.

    Raises:
        WeightsError: when it is not found.
    """
    from radvqa.data.dataset import Problems
    from radvqa.data.store import ImageStore, Preprocessing
    from radvqa.models import features
    from radvqa.models.vision import VisionSpec, VisionTower
    from radvqa.sample import Sample

    tower = VisionTower(VisionSpec(backbone, pooling="mean"))
    store = ImageStore(Preprocessing(_SIDE))
    hashes = fingerprint.FileHashes().of(pictures.values())
    usable = {name: path for name, path in pictures.items() if hashes.get(path) is not None}
    samples = [Sample(name, "", "", name, path, "", "", "OPEN") for name, path in usable.items()]
    keys = store.add(samples, Problems(skip=True))
    distinct = list(dict.fromkeys(keys.values()))
    pooled = features.compute(tower, store, distinct).pooled.numpy()
    row = {key: number for number, key in enumerate(distinct)}
    vectors = np.array([pooled[row[key]] for key in keys.values()], np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return Looks(tuple(keys), vectors / np.maximum(lengths, 1e-12), f"features of {Path(backbone).name}")
