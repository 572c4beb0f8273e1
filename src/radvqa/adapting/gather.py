"""The samples that a source names, without those that must not be learned from."""

from pathlib import Path

from radvqa import console
from radvqa.adapting.spec import Source
from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.data.keep import where
from radvqa.data.leaks.find import find_leaks
from radvqa.data.split_file import names_a_file, read
from radvqa.errors import DataError
from radvqa.sample import Sample, cluster_of


def gather(source: Source, problems: Problems) -> list[Sample]:
    """Load the samples of a source.

    Args:
        source: says which; see ``spec.Source``.
        problems: where bad rows and pictures are reported.

    Raises:
        DataError: for data that cannot be used, and when nothing is left.
    """
    loaded = where(registry.load_split(source.data, source.split, problems), source.where)
    shared = _shared_pictures(source, problems) if source.without_pictures_of else set()
    cases = {cluster_of(sample.image, sample.case) for sample in loaded if sample.image in shared}
    kept = [
        sample
        for sample in loaded
        if cluster_of(sample.image, sample.case) not in cases
        and not any(phrase in sample.answer for phrase in source.without_phrases)
    ]
    if not kept:
        raise DataError(f"{source.data} {source.split}: nothing is left to learn from; let more samples through.")
    if len(kept) < len(loaded):
        console.say(f"{source.data} {source.split}: {len(loaded) - len(kept)} of {len(loaded)} samples are left out")
    return kept


def _shared_pictures(source: Source, problems: Problems) -> set[str]:
    """Names of the source's pictures that other data sets show too, or nearly."""
    own = registry.select(source.data)
    split = read(Path(source.split)).split if names_a_file(source.split) else source.split
    found: set[str] = set()
    for overlap in find_leaks([own.place, *source.without_pictures_of], problems):
        sides = ((overlap.first, overlap.second, "first"), (overlap.second, overlap.first, "second"))
        for mine, other, side in sides:
            if (mine.dataset, mine.split) == (own.name, split) and other.dataset != own.name:
                found |= set(getattr(overlap.same_picture, side)) | set(getattr(overlap.near_pictures, side))
    return found
