"""A slightly turned picture."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from radvqa.data.image import Pixels
from radvqa.probing.changes import each_picture
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample

DEGREES = 5


def _turned(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return each_picture(samples, context, f"rotation {DEGREES}", turn)


def turn(pixels: Pixels, seed: int) -> Pixels:
    """Turn by 5 degrees, one way or the other by the seed; the size is kept and new corners are black."""
    degrees = DEGREES if seed % 2 else -DEGREES
    return np.asarray(Image.fromarray(pixels).rotate(degrees, Image.Resampling.BILINEAR))


PROBE = Probe(
    title="Rotated",
    changes="Turned by 5 degrees, one way or the other; new corners are black.",
    kind="image",
    group="mild change",
    apply=_turned,
)
