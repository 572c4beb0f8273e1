"""A picture of less contrast."""

from collections.abc import Sequence

import numpy as np

from radvqa.data.image import Pixels
from radvqa.probing.changes import each_picture
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample

FACTOR = 0.6


def _flattened(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return each_picture(samples, context, f"contrast {FACTOR:g}", flatten)


def flatten(pixels: Pixels, seed: int) -> Pixels:
    """Bring every value to 60 % of its distance from the picture's mean."""
    mean = float(pixels.mean())
    return np.round(mean + FACTOR * (pixels - mean)).astype(np.uint8)


PROBE = Probe(
    title="Less contrast",
    changes="Every value is brought to 60 % of its distance from the picture's mean.",
    kind="image",
    group="mild change",
    apply=_flattened,
)
