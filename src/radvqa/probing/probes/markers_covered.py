"""The picture without its letters and markers: who answers from them must answer otherwise."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from radvqa import console
from radvqa.data import image
from radvqa.data.deidentify.text_regions import Box, text_boxes
from radvqa.data.image import Pixels
from radvqa.data.markers import markers
from radvqa.errors import ImageError
from radvqa.probing.changes import shown
from radvqa.probing.pictures import hashes_of
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample

_WHAT = "markers covered"
_AROUND = 4  # pixels of ground around a box, whose median covers it


def _covered(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    hashes = hashes_of(samples)
    distinct = {sample.image_path: sample for sample in reversed(samples) if sample.image_path in hashes}
    made: dict[Path, Path] = {}
    with console.progress("covering markers", len(distinct)) as advance:
        for source, sample in distinct.items():
            advance(1)
            try:
                pixels = image.decode(source)
            except ImageError:
                continue
            boxes = boxes_of(pixels)
            if boxes:
                made_of = (hashes[source], _WHAT, repr(boxes))
                made[source] = context.pictures.keep(sample.image, made_of, partial(cover, pixels, boxes))
    return [shown(sample, _WHAT, made[sample.image_path]) for sample in samples if sample.image_path in made]


def boxes_of(pixels: Pixels) -> list[Box]:
    """Where burned-in text and markers probably are."""
    grey = pixels.astype(np.float32) if pixels.ndim == 2 else pixels.astype(np.float32).mean(axis=2)
    return [*text_boxes(grey), *(marker.box for marker in markers(grey))]


def cover(pixels: Pixels, boxes: Sequence[Box]) -> Pixels:
    """Fill boxes with the median of the ground around each, so that no black patch takes the marker's place."""
    covered = pixels.copy()
    for left, top, width, height in boxes:
        x, y = slice(max(0, left - 2), left + width + 2), slice(max(0, top - 2), top + height + 2)
        ring = np.zeros(pixels.shape[:2], bool)
        ring[max(0, y.start - _AROUND) : y.stop + _AROUND, max(0, x.start - _AROUND) : x.stop + _AROUND] = True
        ring[y, x] = False
        if ring.any():
            covered[y, x] = np.median(pixels[ring], axis=0).astype(np.uint8)
    return covered


PROBE = Probe(
    title="Letters and markers covered",
    changes="Burned-in text and small bright markers near the border, where any are found, are filled with the ground "
    "around them.",
    kind="image",
    group="mild change",
    apply=_covered,
)
