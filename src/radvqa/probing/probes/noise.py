"""A picture of noise: independent normal grey values."""

from collections.abc import Sequence

import numpy as np

from radvqa.data.image import Pixels
from radvqa.probing.changes import each_picture
from radvqa.probing.pictures import SIDE
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample

MEAN, SPREAD = 127.5, 64.0


def _noise(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return each_picture(samples, context, "noise", only_noise)


def only_noise(pixels: Pixels, seed: int) -> Pixels:
    """Draw a grey picture, ``(256, 256)``; nothing is kept of the pixels, not even their number."""
    values = np.random.default_rng(seed).normal(MEAN, SPREAD, (SIDE, SIDE))
    return np.round(values.clip(0, 255)).astype(np.uint8)


PROBE = Probe(
    title="Noise picture",
    changes="Every picture is replaced by normal noise around middle grey, drawn anew for each picture.",
    kind="image",
    group="no picture",
    apply=_noise,
)
