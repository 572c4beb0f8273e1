"""A picture that was compressed hard."""

import io
from collections.abc import Sequence

from PIL import Image

from radvqa.data import image
from radvqa.data.image import Pixels
from radvqa.probing.changes import each_picture
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample

QUALITY = 20


def _compressed(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return each_picture(samples, context, f"jpeg {QUALITY}", compress)


def compress(pixels: Pixels, seed: int) -> Pixels:
    """Compress as JPEG of quality 20, and decode."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY)
    return image.decode(buffer.getvalue())


PROBE = Probe(
    title="JPEG",
    changes="Compressed as JPEG of quality 20.",
    kind="image",
    group="mild change",
    apply=_compressed,
)
