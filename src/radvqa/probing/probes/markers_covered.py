"""The picture without its letters and markers: who answers from them must answer otherwise."""

from collections.abc import Sequence

import numpy as np

from radvqa.data.deidentify.text_regions import Box, text_boxes
from radvqa.data.image import Pixels
from radvqa.data.markers import markers
from radvqa.probing.changes import pictures_that_have
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample

_AROUND = 4  # pixels of ground around a box, whose median covers it


def _covered(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return pictures_that_have(samples, context, "markers covered", boxes_of, cover)


def boxes_of(pixels: Pixels) -> tuple[Box, ...]:
    """Where burned-in text and markers probably are."""
    grey = pixels.astype(np.float32) if pixels.ndim == 2 else pixels.astype(np.float32).mean(axis=2)
    return (*text_boxes(grey), *(marker.box for marker in markers(grey)))


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
