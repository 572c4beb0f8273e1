"""The picture without its margins: who answers from how a picture is framed must answer otherwise."""

from collections.abc import Sequence

from radvqa.data.image import Pixels
from radvqa.data.margins import Margins, margins, share, without
from radvqa.probing.changes import pictures_that_have
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample

LEAST = 0.02
"""Share of a picture that its margins must take to be cut."""


def _cut(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return pictures_that_have(samples, context, "margins cut", _large, without)


def _large(pixels: Pixels) -> Margins | None:
    around = margins(pixels)
    return around if share(around, *pixels.shape[:2]) >= LEAST else None


PROBE = Probe(
    title="Margins cut off",
    changes="Margins of one shade around the picture are cut off, where they take 2 % of it or more; what is left is "
    "shown larger.",
    kind="image",
    group="mild change",
    apply=_cut,
)
