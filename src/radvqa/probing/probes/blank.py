"""A picture without content: uniform, as bright as the split's pictures are on average."""

from collections.abc import Sequence

import numpy as np

from radvqa.data.image import Pixels
from radvqa.probing.changes import one_picture
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample


def _blank(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return one_picture(samples, context, "blank", uniform)


def uniform(mean: Pixels) -> Pixels:
    """Spread the mean brightness of a picture over all of it; grey, whatever its colours."""
    return np.full(mean.shape[:2], round(float(mean.mean())), np.uint8)


PROBE = Probe(
    title="Blank picture",
    changes="Every question is asked about one grey picture, as bright as the split's pictures are on average.",
    kind="image",
    group="no picture",
    apply=_blank,
)
