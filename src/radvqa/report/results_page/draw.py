"""Right and wrong answers of a run, drawn at random, with their pictures."""

import random
from dataclasses import dataclass

from radvqa.errors import DataError, RunError
from radvqa.prediction import Prediction
from radvqa.report.examples import listed_files
from radvqa.report.scored import Scored

SIDE = 200
"""Pixels of a picture at most."""


@dataclass(frozen=True)
class Drawn:
    """One answer with its picture.

    Attributes:
        asked: question, gold, answer and confidence.
        picture: as PNG, at most ``SIDE`` pixels.
    """

    asked: Prediction
    picture: bytes


@dataclass(frozen=True)
class Draw:
    """What was drawn.

    Attributes:
        right: right answers.
        wrong: wrong answers.
        of_right: how many right answers there are.
        of_wrong: how many wrong ones.
    """

    right: tuple[Drawn, ...]
    wrong: tuple[Drawn, ...]
    of_right: int
    of_wrong: int


def chosen_ids(right: dict[str, bool], *, wanted: tuple[int, int], seed: int) -> tuple[list[str], list[str]]:
    """Choose ids of right and of wrong answers: ``random.Random(seed).sample`` of the sorted ids, right ones first.

    Args:
        right: sample id → whether it was answered correctly.
        wanted: how many right and wrong ones; all where there are fewer.
        seed: of the draw.
    """
    lot = random.Random(seed)
    sides = [sorted(key for key, is_right in right.items() if is_right is wish) for wish in (True, False)]
    first, second = (lot.sample(ids, min(many, len(ids))) for ids, many in zip(sides, wanted, strict=True))
    return first, second


def draw(run: Scored, *, right: int, wrong: int, seed: int) -> Draw:
    """Draw answers of a run.

    Raises:
        RunError: when the run keeps no small pictures, or not all of them.
        DataError: when a picture cannot be decoded.
    """
    ids = chosen_ids(run.right, wanted=(right, wrong), seed=seed)
    paths = {} if run.run is None else listed_files(run.run.thumbnails(run.answers) / "index.json")
    taken = []
    for side in ids:
        shown = []
        for key in side:
            asked = run.predictions[key]
            if asked.image not in paths:
                raise RunError(
                    f"{run.name} keeps no small picture of {key}; `radvqa predict` and `radvqa score` make them anew."
                )
            shown.append(Drawn(asked, _small(run.name, paths[asked.image].read_bytes())))
        taken.append(tuple(shown))
    total = sum(run.right.values())
    return Draw(taken[0], taken[1], total, len(run.right) - total)


def _small(name: str, content: bytes) -> bytes:
    from radvqa.data.image import decode, encode_png, shrink

    try:
        return encode_png(shrink(decode(content, max_pixels=30_000_000), SIDE))
    except DataError as error:
        raise DataError(f"{name}: a small picture cannot be read: {error}") from None
