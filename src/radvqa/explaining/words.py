"""How much each word of a question matters for the answer: leave it out, and ask again.

Source: Li, Monroe and Jurafsky, Understanding neural networks through representation erasure, 2016.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from radvqa.explaining import passes
from radvqa.explaining.inside.opening import asked_differently
from radvqa.explaining.session import Session
from radvqa.models.family import VqaModel
from radvqa.sample import Sample

Dropped = tuple[tuple[str, ...], NDArray[np.float32]]
"""A question's words, and how much less probable the answer is without each, at least 0, ``(l,)``."""


def left_out(model: VqaModel, family: str, sample: Sample, session: Session) -> Dropped:
    """Leave each word out of the question to an opened model."""

    def sure(question: str) -> float:
        opened = session.opened
        if question != sample.question:
            opened = asked_differently(model, family, sample, question, opened.said)
        with torch.no_grad():
            asked = Session(opened, session.picture, session.token)
            return float(asked.log_probability(session.values)[0].exp())

    return dropped(sample.question, sure)


def dropped(question: str, sure: Callable[[str], float]) -> Dropped:
    """Leave each word out of a question.

    Args:
        question: as asked.
        sure: how probable the answer is that was given, when another question is asked.
    """
    words = question.split()
    if len(words) < 2:
        return tuple(words), np.zeros(len(words), np.float32)
    passes.expected(len(words) + 1)
    whole = sure(question)
    drops = [whole - sure(" ".join(words[:place] + words[place + 1 :])) for place in range(len(words))]
    return tuple(words), np.maximum(np.array(drops), 0).astype(np.float32)
