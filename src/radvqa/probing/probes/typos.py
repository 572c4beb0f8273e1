"""Slips of the keyboard in the question."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample

_LONG_WORD = re.compile(r"\b[A-Za-z]{5,}\b")
_MOST_WORDS = 2


def _mistyped(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return [
        ProbedSample(replace(sample, question=mistype(sample.question, sample.id)))
        for sample in samples
        if _LONG_WORD.search(sample.question)
    ]


def mistype(question: str, seed: str) -> str:
    """Mistype one or two words of at least five Latin letters: two neighbours swapped, or one letter dropped."""
    draw = random.Random(f"typos {seed}")
    places = list(_LONG_WORD.finditer(question))
    words = min(len(places), draw.randint(1, _MOST_WORDS))
    for place in sorted(draw.sample(places, words), key=lambda place: -place.start()):
        question = question[: place.start()] + _slip(place[0], draw) + question[place.end() :]
    return question


def _slip(word: str, draw: random.Random) -> str:
    """Change a word behind its first letter."""
    different = [i for i in range(1, len(word) - 1) if word[i] != word[i + 1]]
    if different and draw.random() < 0.5:
        i = draw.choice(different)
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    i = draw.randrange(1, len(word))
    return word[:i] + word[i + 1 :]


PROBE = Probe(
    title="Question with typos",
    changes="In one or two words of at least five Latin letters two neighbours are swapped or a letter is dropped.",
    kind="question",
    group="question",
    apply=_mistyped,
)
