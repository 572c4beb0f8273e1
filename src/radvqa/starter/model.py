"""The starter model: a picture and a question in; an answer, or the reason why there is none, out."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radvqa.data import image
from radvqa.errors import RadvqaError
from radvqa.starter import file
from radvqa.starter.confidence import Confidence
from radvqa.starter.gate import PictureGate
from radvqa.starter.net import Net, NetFacts, Seen
from radvqa.starter.question_gate import QuestionGate

FILE = Path(__file__).parent / "starter.safetensors"
"""The model that comes with the package."""

_CANDIDATES = 5
_KEPT_PICTURES = 8
_EMPTY = "The question is empty; ask for instance 'Which organ is shown?'."


@dataclass(frozen=True)
class StarterAnswer:
    """What the model says.

    Attributes:
        answer: the most probable one, as people write it.
        confidence: its calibrated probability, in [0, 1].
        candidates: the most probable answers and their probabilities, best first.
        abstained: why the answer is not to be used, in a sentence; None when it is given.
    """

    answer: str
    confidence: float
    candidates: tuple[tuple[str, float], ...]
    abstained: str | None


class Starter:
    """The model, what keeps it from answering, and its confidence.

    Pictures that were asked about last are kept, so that a further question about one costs a few milliseconds.

    Args:
        net: scores answers.
        pictures: tells pictures of the kinds that the model knows from others.
        questions: tells questions whose words the model knows from others.
        confidence: turns scores into probabilities, and says which are enough.
        about: where the model comes from: data, licence, attribution, recipe, digests, measured accuracy.
    """

    def __init__(
        self,
        net: Net,
        pictures: PictureGate,
        questions: QuestionGate,
        confidence: Confidence,
        about: Mapping[str, Any],
    ) -> None:
        self.net, self.pictures, self.questions = net, pictures, questions
        self.confidence, self.about = confidence, about
        self._kept: OrderedDict[bytes, Seen] = OrderedDict()

    @classmethod
    def load(cls, path: Path | None = None) -> "Starter":
        """Load the model.

        Args:
            path: a file that ``radvqa starter build`` wrote; by default the one that comes with the package.

        Raises:
            WeightsError: when the file is absent or damaged.
        """
        tensors, facts = file.read(Path(path) if path else FILE)
        net = NetFacts.from_plain(facts["net"])
        return cls(
            Net(tensors, net),
            PictureGate.from_tensors(tensors),
            QuestionGate.from_tensors(tensors, net.words, net.normaliser),
            Confidence.from_tensors(tensors),
            facts["about"],
        )

    def answer(self, picture: Path | NDArray[np.uint8], question: str) -> StarterAnswer:
        """Answer a question about a picture.

        Args:
            picture: a file (DICOM and NIfTI too, where a frame or slice may be addressed), or decoded pixels, grey
                ``(h, w)`` or colour ``(h, w, 3)``.
            question: in English.

        Raises:
            RadvqaError: when the picture cannot be decoded, or the question is empty.
        """
        if not question.strip():
            raise RadvqaError(_EMPTY)
        return self.answer_about(self.look(image.decode(picture) if isinstance(picture, Path) else picture), question)

    def answer_about(self, seen: Seen, question: str) -> StarterAnswer:
        """Answer a question about a picture that was looked at.

        Args:
            seen: what ``look`` or ``net.look`` saw.
            question: in English.

        Raises:
            RadvqaError: when the question is empty.
        """
        if not question.strip():
            raise RadvqaError(_EMPTY)
        probabilities = self.confidence.of(self.net.logits(question, seen))
        best = np.argsort(-probabilities, kind="stable")[:_CANDIDATES]
        candidates = tuple((self.net.facts.answers[k], round(float(probabilities[k]), 6)) for k in best)
        answer, confidence = candidates[0]
        return StarterAnswer(answer, confidence, candidates, self._why_not(question, seen, confidence))

    def look(self, pixels: NDArray[np.uint8]) -> Seen:
        """Look at a picture, unless it is one of the last."""
        small = self.net.resized(pixels)
        key = hashlib.sha256(np.ascontiguousarray(small).data).digest()
        seen = self._kept.pop(key, None) or self.net.look(small)
        self._kept[key] = seen
        while len(self._kept) > _KEPT_PICTURES:
            self._kept.popitem(last=False)
        return seen

    def _why_not(self, question: str, seen: Seen, confidence: float) -> str | None:
        """Say why an answer is not given, the gravest reason first."""
        if not self.pictures.passes(seen.pooled, seen.colour):
            return "The picture does not look like the radiology pictures that the model was trained on."
        if not self.questions.passes(question):
            unread = ", ".join(map(repr, self.questions.unread_words(question)))
            return f"The question says too much in words that the model was not trained on: {unread or 'it has none'}."
        if not self.confidence.enough(confidence):
            return (
                f"The model is not sure enough: its best answer has a probability of {confidence:.2f}, and it answers "
                f"from {self.confidence.threshold:.2f} on."
            )
        return None
