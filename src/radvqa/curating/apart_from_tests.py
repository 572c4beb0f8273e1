"""Pairs that would teach the test: their picture, or their very question about it, belongs to a test split."""

from collections.abc import Iterable, Sequence

from radvqa import text
from radvqa.curating.pair import Pair
from radvqa.sample import Sample


def asked_in_tests(pairs: Sequence[Pair], tests: Iterable[Sample]) -> set[str]:
    """Return the ids of pairs whose question and answer stand in a test split.

    Args:
        pairs: to look through.
        tests: samples of test splits. A question that a test asks of many pictures ("What modality is this?") counts
            only where the pair's answer is long enough to tell: four words or more, or where the picture is the same.
    """
    asked: set[tuple[str, str]] = set()
    of_picture: set[tuple[str, str]] = set()
    for sample in tests:
        question = text.unicode_words(sample.question)
        asked.add((question, text.unicode_words(sample.answer)))
        of_picture.add((sample.image, question))
    found = set()
    for pair in pairs:
        question, answer = text.unicode_words(pair.question), text.unicode_words(pair.answer)
        told = (question, answer) in asked and len(answer.split()) >= _TELLING
        if told or (pair.image and (pair.image, question) in of_picture):
            found.add(pair.id)
    return found


_TELLING = 4  # words
