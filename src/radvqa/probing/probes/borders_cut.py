"""The picture without its margins: who answers from how a picture is framed must answer otherwise."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from radvqa import console
from radvqa.data import image
from radvqa.data.margins import margins, share, without
from radvqa.errors import ImageError
from radvqa.probing.changes import shown
from radvqa.probing.pictures import hashes_of
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample

LEAST = 0.02
"""Share of a picture that its margins must take to be cut."""

_WHAT = "margins cut"


def _cut(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    hashes = hashes_of(samples)
    distinct = {sample.image_path: sample for sample in reversed(samples) if sample.image_path in hashes}
    made: dict[Path, Path] = {}
    with console.progress("cutting margins", len(distinct)) as advance:
        for source, sample in distinct.items():
            advance(1)
            try:
                pixels = image.decode(source)
            except ImageError:
                continue
            around = margins(pixels)
            if share(around, *pixels.shape[:2]) >= LEAST:
                made_of = (hashes[source], _WHAT, repr(around))
                made[source] = context.pictures.keep(sample.image, made_of, partial(without, pixels, around))
    return [shown(sample, _WHAT, made[sample.image_path]) for sample in samples if sample.image_path in made]


PROBE = Probe(
    title="Margins cut off",
    changes="Margins of one shade around the picture are cut off, where they take 2 % of it or more; what is left is "
    "shown larger.",
    kind="image",
    group="mild change",
    apply=_cut,
)
