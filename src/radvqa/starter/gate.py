"""Is this a picture of the kinds that the model learned from? Answering needs numpy alone.

Two things are asked. Radiographs are grey, so a picture with more than a few coloured pixels is none. And its features
must lie where those of the training pictures lie: a Gaussian with few free directions (probabilistic PCA) is laid over
them, and the Mahalanobis distance counts.

Letters: ``m`` training pictures, ``v`` validation pictures, ``p`` size of a picture's vector, ``k`` directions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from radvqa.errors import RadvqaError

DIRECTIONS = 64
"""Free directions of the Gaussian; from 32 to 128 the choice does not matter."""

PASSING = 0.99
ROOM = 1.5
"""The limit is the distance that 99 % of the validation pictures keep, times this.

Validation pictures come from the hospitals of the training pictures; others lie further away. The factor was chosen
on one half of other radiological and natural pictures, and ``radvqa starter check`` measures the other half.
"""

MOST_COLOUR = 0.05
"""Largest share of coloured pixels: labels and arrows in colour pass, photographs do not."""

_COLOURED = 24  # levels between the channels of a pixel; compression leaves less on a grey picture
_LEAST = 1e-12  # variance of unit vectors
_PREFIX = "picture_gate"

Vector = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class PictureGate:
    """A Gaussian over unit vectors, and how far from it a picture may lie.

    Attributes:
        mean: ``(p,)``.
        directions: orthonormal rows, ``(k, p)``.
        precision: inverse variance along each direction, ``(k,)``.
        rest: inverse variance in every other direction.
        limit: largest distance that passes.
    """

    mean: Vector
    directions: Vector
    precision: Vector
    rest: float
    limit: float

    def distance(self, vector: Vector) -> float:
        """Compute the Mahalanobis distance of a picture's vector ``(p,)``, whose length is left aside.

        Source: K. Lee et al., A Simple Unified Framework for Detecting Out-of-Distribution Samples, NeurIPS 2018,
        equation 2, with one class; M. E. Tipping, C. M. Bishop, Probabilistic Principal Component Analysis, Journal
        of the Royal Statistical Society B 61, 1999, equation 6.
        """
        away = _unit(vector) - self.mean
        along = self.directions @ away
        rest = max(0.0, float(away @ away - along @ along))
        return float(np.sqrt(along @ (self.precision * along) + self.rest * rest))

    def strangeness(self, vector: Vector, colour: float = 0.0) -> float:
        """Say how strange a picture is; up to 1 it passes.

        Args:
            vector: of the picture, ``(p,)``.
            colour: its share of coloured pixels, as ``coloured`` tells it.
        """
        return max(self.distance(vector) / self.limit, colour / MOST_COLOUR)

    def passes(self, vector: Vector, colour: float = 0.0) -> bool:
        """Tell whether a picture is like those that the model knows; the arguments are those of ``strangeness``."""
        return self.strangeness(vector, colour) <= 1

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Return everything as arrays by name, to be kept in a safetensors file."""
        return {
            f"{_PREFIX}.mean": np.asarray(self.mean, np.float32),
            f"{_PREFIX}.directions": np.asarray(self.directions, np.float16),
            f"{_PREFIX}.precision": np.asarray(self.precision, np.float32),
            f"{_PREFIX}.scalars": np.array([self.rest, self.limit]),
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Any]) -> "PictureGate":
        """Undo ``tensors``; other names are left aside."""
        mean, directions, precision = (
            np.asarray(tensors[f"{_PREFIX}.{name}"], np.float64) for name in ("mean", "directions", "precision")
        )
        rest, limit = map(float, tensors[f"{_PREFIX}.scalars"])
        return cls(mean, directions, precision, rest, limit)


def fit(features: Vector, validation_features: Vector, *, directions: int = DIRECTIONS) -> PictureGate:
    """Lay a Gaussian over training pictures, and set the limit by validation pictures.

    Args:
        features: vectors of distinct training pictures, ``(m, p)``.
        validation_features: vectors of distinct pictures that were not trained on, ``(v, p)``.
        directions: with a variance of their own; fewer where the pictures do not span as many.

    Raises:
        RadvqaError: when there are fewer than three training pictures or no validation picture.
    """
    if len(features) < 3 or not len(validation_features):
        raise RadvqaError(
            f"The gate is fitted to {len(features)} training and {len(validation_features)} validation pictures; it "
            f"needs at least three and one."
        )
    units = _unit(np.asarray(features, np.float64))
    mean = units.mean(axis=0)
    _, spread, axes = np.linalg.svd(units - mean, full_matrices=False)
    variances = np.maximum(spread**2 / (len(units) - 1), _LEAST)  # equal pictures have none
    most = min(directions, len(units) - 2, units.shape[1] - 1)  # so that something is left for the others
    rest = 1 / float(variances[most:].mean())
    # the limit is that of the gate as it is kept, in its shorter numbers
    kept = PictureGate.from_tensors(PictureGate(mean, axes[:most], 1 / variances[:most], rest, 1.0).tensors())
    far = np.quantile([kept.distance(vector) for vector in validation_features], PASSING)
    return PictureGate(kept.mean, kept.directions, kept.precision, rest, ROOM * float(far))


def coloured(pixels: npt.NDArray[np.uint8]) -> float:
    """Return the share of pixels that have a colour, of a grey ``(h, w)`` or colour picture ``(h, w, 3)``."""
    if pixels.ndim == 2:
        return 0.0
    return float((pixels.max(axis=-1) - pixels.min(axis=-1) > _COLOURED).mean())


def _unit(vectors: Vector) -> Vector:
    whole = np.asarray(vectors, np.float64)
    length = np.linalg.norm(whole, axis=-1, keepdims=True)
    unit: Vector = whole / np.where(length > 0, length, 1)
    return unit
