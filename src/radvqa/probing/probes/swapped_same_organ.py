"""A wrong picture of the same organ, by the same modality where there is one."""

from collections.abc import Sequence

from radvqa.probing.donors import swap
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample


def _swapped(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return swap(samples, context, "swapped_same_organ", _same_organ_and_modality, _same_organ)


def _same_organ_and_modality(sample: Sample, donor: Sample) -> bool:
    return _same_organ(sample, donor) and donor.modality == sample.modality


def _same_organ(sample: Sample, donor: Sample) -> bool:
    return donor.organ == sample.organ


PROBE = Probe(
    title="Wrong picture, same organ",
    changes="The picture of another case or image with the same labelled organ, of the same modality where there is "
    "one. Its right answer may be the same by chance.",
    kind="image",
    group="wrong picture",
    apply=_swapped,
)
