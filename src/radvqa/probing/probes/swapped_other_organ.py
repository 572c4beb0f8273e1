"""A wrong picture of another organ."""

from collections.abc import Sequence

from radvqa.probing.donors import swap
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample


def _swapped(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return swap(samples, context, "swapped_other_organ", _other_organ)


def _other_organ(sample: Sample, donor: Sample) -> bool:
    return donor.organ != sample.organ


PROBE = Probe(
    title="Wrong picture, other organ",
    changes="The picture of another case or image with another labelled organ. Its right answer may be the same by "
    "chance.",
    kind="image",
    group="wrong picture",
    apply=_swapped,
)
