"""Mild noise on the picture.

Strength: severity 1 of D. Hendrycks, T. Dietterich, Benchmarking Neural Network Robustness, ICLR 2019.
"""

from collections.abc import Sequence

import numpy as np

from radvqa.data.image import Pixels
from radvqa.probing.changes import each_picture
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample

SPREAD = 0.08 * 255


def _noisy(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return each_picture(samples, context, f"gaussian_noise {SPREAD:g}", add_noise)


def add_noise(pixels: Pixels, seed: int) -> Pixels:
    """Add normal noise with a standard deviation of 20.4 of 255 to every value."""
    changed = pixels + np.random.default_rng(seed).normal(0, SPREAD, pixels.shape)
    return np.round(changed.clip(0, 255)).astype(np.uint8)


PROBE = Probe(
    title="Noise added",
    changes="Normal noise with a standard deviation of 8 % of the range of values.",
    kind="image",
    group="mild change",
    apply=_noisy,
)
