"""What probes of pictures share: give every sample a changed copy of its picture, or one that is the same for all."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from radvqa import console
from radvqa.data import image
from radvqa.data.image import Pixels
from radvqa.probing.pictures import hashes_of, mean_picture
from radvqa.probing.probe import Context, ProbedSample, seed_of
from radvqa.sample import Sample

PictureChange = Callable[[Pixels, int], Pixels]
"""Pixels and a seed → changed pixels."""


def each_picture(samples: Sequence[Sample], context: Context, what: str, change: PictureChange) -> list[ProbedSample]:
    """Change every distinct picture once; samples whose picture cannot be read are left out.

    Args:
        samples: whose pictures are changed.
        context: of the probe.
        what: the change and its strength, for instance ``blur 0.5 %``; another change needs another text.
        change: changes pixels; its seed follows from the picture's name.
    """
    hashes = hashes_of(samples)
    distinct = {sample.image_path: sample for sample in reversed(samples) if sample.image_path in hashes}
    made: dict[Path, Path] = {}
    with console.progress(what, len(distinct)) as advance:
        for source, sample in distinct.items():
            made[source] = _keep_changed(sample, hashes[source], context, what, change)
            advance(1)
    return [shown(sample, what, made[sample.image_path]) for sample in samples if sample.image_path in made]


def _keep_changed(sample: Sample, digest: str, context: Context, what: str, change: PictureChange) -> Path:
    source, seed = sample.image_path, seed_of(what, sample.image)
    return context.pictures.keep(sample.image, (digest, what, str(seed)), lambda: change(image.decode(source), seed))


def pictures_that_have(
    samples: Sequence[Sample],
    context: Context,
    what: str,
    find: Callable[[Pixels], Hashable],
    change: Callable[[Pixels, Any], Pixels],
) -> list[ProbedSample]:
    """Change every distinct picture in which something is found; samples of other pictures are left out.

    Args:
        samples: whose pictures are changed.
        context: of the probe.
        what: the change, in words.
        find: pixels → what is found, with a text of its own (``repr``); empty or None where there is nothing.
        change: pixels and what was found → changed pixels.
    """
    hashes = hashes_of(samples)
    distinct = {sample.image_path: sample for sample in reversed(samples) if sample.image_path in hashes}
    made: dict[Path, Path] = {}
    with console.progress(what, len(distinct)) as advance:
        for source, sample in distinct.items():
            advance(1)
            pixels = image.decode(source)
            found = find(pixels)
            if found:
                made_of = (hashes[source], what, repr(found))
                made[source] = context.pictures.keep(sample.image, made_of, partial(change, pixels, found))
    return [shown(sample, what, made[sample.image_path]) for sample in samples if sample.image_path in made]


def one_picture(
    samples: Sequence[Sample], context: Context, what: str, make: Callable[[Pixels], Pixels]
) -> list[ProbedSample]:
    """Show the same picture with every question; it is made from the mean picture of the split.

    Args:
        samples: to change.
        context: of the probe.
        what: what is made.
        make: mean picture of the split → pixels.
    """
    hashes = hashes_of(context.split)
    digests = tuple(hashes.values())
    path = context.pictures.keep(what, (what, *digests), lambda: make(mean_picture(tuple(hashes), digests)))
    return [shown(sample, what, path) for sample in samples]


def shown(sample: Sample, what: str, path: Path) -> ProbedSample:
    """Put another picture under a sample; it also gets another name, because equal names mean the same picture."""
    return ProbedSample(replace(sample, image=f"{sample.image} ({what})", image_path=path))
