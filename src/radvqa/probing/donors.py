"""Wrong pictures: which other image of the split takes an image's place."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from radvqa.probing.probe import Context, ProbedSample
from radvqa.sample import Sample, cluster_of

Fits = Callable[[Sample, Sample], bool]


def swap(samples: Sequence[Sample], context: Context, name: str, *choices: Fits) -> list[ProbedSample]:
    """Show every image's questions with the picture of another image, the same one for all of them.

    The picture is drawn from those of other clusters that fit; the image's name alone decides the draw. Samples whose
    image or body part is unknown, or that have no fitting picture, are left out.

    Args:
        samples: to change.
        context: of the probe; donors are all images of its split.
        name: of the probe, for the draw.
        choices: sample, donor → whether it fits; a later one is asked when none fits by those before.
    """
    donors = list(
        {sample.image: sample for sample in reversed(context.split) if sample.image and sample.organ}.values()
    )
    donors.sort(key=lambda donor: donor.image)
    chosen: dict[str, Sample | None] = {}
    for sample in samples:
        if sample.image not in chosen:
            chosen[sample.image] = _donor(sample, donors, name, choices)
    swapped = []
    for sample in samples:
        donor = chosen[sample.image]
        if donor is not None:
            swapped.append(ProbedSample(replace(sample, image=donor.image, image_path=donor.image_path)))
    return swapped


def _donor(sample: Sample, donors: Sequence[Sample], name: str, choices: Sequence[Fits]) -> Sample | None:
    if not (sample.image and sample.organ):
        return None
    own = cluster_of(sample.image, sample.case)
    others = [donor for donor in donors if cluster_of(donor.image, donor.case) != own]
    for fits in choices:
        fitting = [donor for donor in others if fits(sample, donor)]
        if fitting:
            return random.Random(f"{name} {sample.image}").choice(fitting)
    return None
