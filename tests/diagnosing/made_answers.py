"""Made-up answers: pictures with questions, right with a chance of their own."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from radvqa.prediction import Prediction

KINDS = ("Organ", "Modality", "Position", "Size")
ORGANS = ("Lung", "Liver", "Brain")


def answers(
    images: int = 60,
    *,
    chance: Callable[[Prediction], float] = lambda p: 0.8,
    seed: int = 0,
    luck: float = 0.0,
) -> list[Prediction]:
    """Four questions about each picture.

    Args:
        images: how many.
        chance: of a right answer to a question.
        seed: of the draws.
        luck: how much the chance of all questions of a picture moves together.
    """
    draw = random.Random(seed)
    made = []
    for number in range(images):
        organ, shift = ORGANS[number % 3], draw.uniform(-luck, luck)
        for kind in KINDS:
            gold = draw.choice(("Yes", "No")) if kind == "Size" else draw.choice(("one", "two", "three"))
            p = Prediction(
                id=f"q{number:03d}-{kind}",
                question=f"What is the {kind.lower()} here?",
                answer=gold,
                prediction=gold,
                answer_type="CLOSED" if kind == "Size" else "OPEN",
                question_type=kind,
                image=f"image{number:03d}.png",
                organ=organ,
                modality="CT" if number % 2 else "MRI",
                confidence=round(draw.random(), 3),
            )
            right = draw.random() < chance(p) + shift
            made.append(p if right else replace(p, prediction="four"))
    return made


def right(predictions: Sequence[Prediction]) -> list[bool]:
    return [p.answer == p.prediction for p in predictions]
