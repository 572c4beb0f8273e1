"""Cover one part of a picture, and see which words of the answer that moves."""

import numpy as np
import torch
from numpy.typing import NDArray

from radvqa.explaining import passes
from radvqa.explaining.asking import Asked
from radvqa.explaining.evidence.faithfulness import blurred
from radvqa.explaining.inside.opened import read_pixels
from radvqa.explaining.session import Session

Box = tuple[float, float, float, float]
"""Left, top, width and height, as shares of the picture."""


def moved(session: Session | Asked, box: Box) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probability of each token of the answer with the part and without it, ``(t,)`` each.

    A model that can only be asked tells one number for the whole answer.

    Args:
        session: the answer that is explained.
        box: that is covered by a blurred picture.
    """
    pictures = [session.picture, covered(session.picture, box)]
    passes.expected(len(pictures))
    if isinstance(session, Asked):
        found = np.asarray(session.scores(pictures), np.float64)[:, None]
    else:
        passes.made(len(pictures))
        with torch.no_grad():
            values = read_pixels(session.opened.resizing, pictures)
            found = session.opened.log_probabilities(values).exp().double().cpu().numpy()
    return found[0], found[1]


def covered(picture: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Replace a part, at least one pixel of it, by what it looks like blurred."""
    rows, columns = picture.shape[:2]
    top, left = min(rows - 1, int(box[1] * rows)), min(columns - 1, int(box[0] * columns))
    bottom = max(top + 1, round((box[1] + box[3]) * rows))
    right = max(left + 1, round((box[0] + box[2]) * columns))
    changed = picture.copy()
    changed[top:bottom, left:right] = blurred(picture)[top:bottom, left:right]
    return changed
