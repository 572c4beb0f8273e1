"""A mildly blurred picture."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from radvqa.data.image import Pixels
from radvqa.probing.changes import each_picture
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample

WIDTH = 0.005  # of the longer side: about one pixel where models see 224


def _blurred(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return each_picture(samples, context, f"blur {WIDTH:g}", blur)


def blur(pixels: Pixels, seed: int) -> Pixels:
    """Blur with a Gaussian whose standard deviation is 0.5 % of the longer side."""
    width = WIDTH * max(pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(width)))


PROBE = Probe(
    title="Blurred",
    changes="Gaussian blur with a standard deviation of 0.5 % of the longer side.",
    kind="image",
    group="mild change",
    apply=_blurred,
)
