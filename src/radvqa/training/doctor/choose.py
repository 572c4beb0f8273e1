"""Which few samples are looked at."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from radvqa.sample import Sample

FEW = 8
_LOOKED_AT = 2000  # samples to choose from
_SHORT = 24  # letters of an answer that is soon learned


@dataclass(frozen=True)
class Chosen:
    """Samples for the examination.

    Attributes:
        few: to be learned by heart: different questions and answers, on two pictures or more where there are.
        beside: the longest question, about the first of their pictures, and the sample with the longest answer; only
            looked at, so that the few are padded.
    """

    few: list[Sample]
    beside: list[Sample]


def choose(samples: Sequence[Sample]) -> Chosen:
    """Choose a few samples, always the same ones for the same samples."""
    pool = random.Random(0).sample(list(samples), min(_LOOKED_AT, len(samples)))
    lengths = sorted(len(sample.answer) for sample in pool)
    short = max(_SHORT, lengths[len(lengths) // 4])
    # short answers first, and the questions about one picture side by side: few pictures are soon encoded
    pictures = {name: place for place, name in enumerate(dict.fromkeys(sample.image for sample in pool))}
    pool.sort(key=lambda sample: (len(sample.answer) > short, pictures[sample.image]))
    few: list[Sample] = []
    for new in (_question_and_answer, _question, _question_on_picture):
        _add(few, pool, new)
    if len({sample.image for sample in few}) == 1:
        elsewhere = [s for s in pool if s.image != few[0].image and s.question not in {f.question for f in few[:-1]}]
        few[-1:] = elsewhere[:1] or few[-1:]
    asked = max(samples, key=lambda sample: len(sample.question))
    answered = max(samples, key=lambda sample: len(sample.answer))
    question = replace(asked, id=f"{asked.id} (question)", image=few[0].image, image_path=few[0].image_path)
    return Chosen(few, [question, replace(answered, id=f"{answered.id} (answer)")])


def swapped(samples: Sequence[Sample]) -> list[Sample]:
    """The same samples, each with the next picture of the others; empty when they show one picture only."""
    pictures = list({sample.image: sample.image_path for sample in samples}.items())
    names = [name for name, _ in pictures]
    if len(pictures) < 2:
        return []
    after = [pictures[(names.index(sample.image) + 1) % len(pictures)] for sample in samples]
    return [replace(s, image=name, image_path=path) for s, (name, path) in zip(samples, after, strict=True)]


def _add(few: list[Sample], pool: Iterable[Sample], what: Callable[[Sample], list[str]]) -> None:
    """Add samples of which everything in ``what`` is new."""
    known = {fact for sample in few for fact in what(sample)}
    for sample in pool:
        facts = what(sample)
        if len(few) < FEW and not known.intersection(facts):
            few.append(sample)
            known.update(facts)


def _question_and_answer(sample: Sample) -> list[str]:
    return [f"question {sample.question.casefold()}", f"answer {sample.answer.casefold()}"]


def _question(sample: Sample) -> list[str]:
    return [sample.question.casefold()]


def _question_on_picture(sample: Sample) -> list[str]:
    return [f"{sample.question.casefold()} {sample.image}"]
