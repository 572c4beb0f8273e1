"""What a data set's labels say about a sample's picture."""

from radvqa.sample import Region
from radvqa.serving.maps.known import LabelledRegion
from radvqa.serving.pictures.picture import Truth


def regions_of(truth: Truth | None) -> list[Region]:
    """Return the labelled regions of a sample's picture; none of a picture that is no sample.

    Raises:
        DataError: when the data set is not at hand.
    """
    from radvqa.data import registry

    return registry.regions(truth.data, truth.image) if truth is not None else []


def gold_of(truth: Truth | None, question: str) -> str:
    """The gold answer, where the question is the one that the data set asks."""
    return truth.answer if truth is not None and truth.question.strip() == question.strip() else ""


def plain(regions: list[Region], about: list[Region]) -> list[LabelledRegion]:
    """Regions as the page gets them; ``about`` are those that the question is about."""
    return [
        LabelledRegion(label=one.label, kind=one.kind, box=one.box, about=any(one is other for other in about))
        for one in regions
    ]
