"""Models that can only be asked: an endpoint, the starter model, any family that nobody has opened.

Each changed picture is asked about as any other; what a model tells of its confidence is the score, and of one that
tells nothing whether it still says the same.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radvqa import files
from radvqa.answering import answer_prepared
from radvqa.data import image
from radvqa.data.dataset import Problems
from radvqa.errors import RadvqaError
from radvqa.explaining import passes
from radvqa.explaining.said import Said
from radvqa.models.family import VqaModel
from radvqa.sample import Sample


@dataclass(frozen=True)
class Reply:
    """What a model answers.

    Attributes:
        text: the answer.
        probability: of it; None when the model tells none.
        others: probabilities of further answers, by answer.
    """

    text: str
    probability: float | None
    others: Mapping[str, float]

    def sure_of(self, answer: str) -> float:
        """How sure the model is of an answer; where it tells nothing, whether it is the one that it gives."""
        if answer == self.text:
            return 1.0 if self.probability is None else self.probability
        return self.others.get(answer, 0.0)


_AT_ONCE = 4  # whoever wants to stop waits for so many answers

Ask = Callable[[Sequence[NDArray[np.uint8]]], Sequence[Reply]]
"""Pictures → answers."""


class Asked:
    """A black box: a picture, and the answer that was given to it.

    Args:
        ask: the model.
        picture: as decoded.
    """

    def __init__(self, ask: Ask, picture: NDArray[np.uint8]) -> None:
        self.ask, self.picture = ask, picture
        first = ask([picture])[0]
        if not first.text.strip():
            raise RadvqaError("The model says nothing, so there is no answer to explain.")
        self.said = Said(first.text, (0,), (first.text,), first.probability)
        self.token: int | None = None

    def scores(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.floating]:
        """How sure the model is of the same answer on changed pictures, ``(pictures,)``."""
        found = []
        for start in range(0, len(pictures), _AT_ONCE):
            some = pictures[start : start + _AT_ONCE]
            passes.made(len(some))
            found += [reply.sure_of(self.said.text) for reply in self.ask(some)]
        return np.array(found)


def asking(model: VqaModel, sample: Sample) -> Ask:
    """Ask a trained model about pictures that lie in no file; nothing of them is kept."""

    def ask(pictures: Sequence[NDArray[np.uint8]]) -> Sequence[Reply]:
        with tempfile.TemporaryDirectory(prefix="radvqa-explain-") as folder, files.cold_cache(Path(folder) / "cache"):
            changed = []
            for number, picture in enumerate(pictures):
                path = Path(folder) / f"{number}.png"
                files.write_bytes(path, image.encode_png(picture))
                changed.append(replace(sample, id=f"{sample.id}/{number}", image=path.name, image_path=path))
            predictions, _ = answer_prepared(model, model.prepare(changed, Problems()), with_loss=False)
        return [Reply(one.prediction, one.confidence, dict(one.candidates)) for one in predictions]

    return ask
