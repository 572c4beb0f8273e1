"""How much each word of a question matters for the answer: leave it out, and ask again.

Source: Li, Monroe and Jurafsky, Understanding neural networks through representation erasure, 2016.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from radvqa.explaining.inside.opening import asked_differently
from radvqa.explaining.session import Session
from radvqa.models.family import VqaModel
from radvqa.sample import Sample


def left_out(
    model: VqaModel, family: str, sample: Sample, session: Session
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Return the question's words, and how much less probable the answer is without each, at least 0, ``(l,)``."""
    words = sample.question.split()
    if len(words) < 2:
        return tuple(words), np.zeros(len(words), np.float32)
    drops = []
    with torch.no_grad():
        whole = float(session.log_probability(session.values)[0].exp())
        for place in range(len(words)):
            shorter = " ".join(words[:place] + words[place + 1 :])
            opened = asked_differently(model, family, sample, shorter, session.opened.said)
            other = Session(opened, session.picture, session.token)
            drops.append(whole - float(other.log_probability(session.values)[0].exp()))
    return tuple(words), np.maximum(np.array(drops), 0).astype(np.float32)
