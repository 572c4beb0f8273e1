"""Answering as classification over the training answers: what every discriminative family shares."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.errors import DataError, WeightsError
from radvqa.models.family import Answered, ModelAnswer, StepLoss
from radvqa.models.vision import VisionTower
from radvqa.models.vocabulary import AnswerVocabulary
from radvqa.sample import Sample

_CANDIDATES = 5
Inputs = TypeVar("Inputs")


class ClassifierNet(Protocol[Inputs]):
    """A net that turns samples into inputs once, and inputs into logits every step."""

    @property
    def module(self) -> nn.Module:
        """Everything with parameters."""
        ...

    @property
    def vision(self) -> VisionTower:
        """The image backbone, frozen or trained."""
        ...

    @property
    def vision_is_cached(self) -> bool:
        """Whether the backbone is frozen for good, so that its features are computed once."""
        ...

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str]) -> Inputs:
        """Turn samples into whatever ``logits`` indexes; ``image_keys`` are the pictures' content keys."""
        ...

    def logits(self, inputs: Inputs, rows: Tensor) -> Tensor:
        """Score every answer for some rows, ``(b, c)``; or ``(k, b, c)`` for ``k`` members that vote."""
        ...

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Return the picture's content key by sample id; unreadable pictures are reported and left out."""
        ...

    def image_rows(self, inputs: Inputs) -> Tensor:
        """Which distinct picture each row shows, ``(rows,)``."""
        ...


@dataclass
class ClassifierRows(Generic[Inputs]):
    """Prepared samples: the net's inputs and the gold classes."""

    samples: Sequence[Sample]
    inputs: Inputs
    labels: Tensor
    image_rows: Tensor


class AnswerClassifier(Generic[Inputs]):
    """A ``VqaModel`` around a net that scores the training answers.

    Args:
        net: scores answers.
        answers: the classes.
        options: plain values of the family's options, for the spec.
        extra: further plain values that rebuild the net (vocabularies).
    """

    def __init__(
        self, net: ClassifierNet[Inputs], answers: AnswerVocabulary, options: dict[str, Any], extra: dict[str, Any]
    ) -> None:
        self.net, self.answers, self.options, self.extra = net, answers, options, extra
        self._vision_digest = net.vision.digest() if self._vision_is_found_again else ""

    @property
    def module(self) -> nn.Module:
        """Everything with parameters."""
        return self.net.module

    def prepare(self, samples: Sequence[Sample], problems: Problems) -> ClassifierRows[Inputs]:
        """Turn samples into rows; see ``VqaModel.prepare``."""
        keys = self.net.image_keys(samples, problems)
        usable = [sample for sample in samples if sample.id in keys]
        if not usable:
            why = f"; the last one: {problems.found[-1]}" if problems.found else "."
            raise DataError(f"None of the {len(samples)} samples can be used{why}")
        inputs = self.net.encode(usable, [keys[sample.id] for sample in usable])
        labels = self.answers.encode([sample.answer for sample in usable])
        device = next(self.module.parameters()).device
        return ClassifierRows(usable, inputs, labels.to(device), self.net.image_rows(inputs))

    def loss(self, prepared: ClassifierRows[Inputs], rows: Tensor, *, label_smoothing: float = 0.0) -> StepLoss:
        """Mean cross-entropy against the gold class; members learn side by side, each by its own loss."""
        logits, labels = self.net.logits(prepared.inputs, rows), prepared.labels[rows]
        members = logits if logits.ndim == 3 else logits[None]
        losses = [F.cross_entropy(member, labels, label_smoothing=label_smoothing) for member in members]
        answered = _vote(logits.detach()).argmax(1)
        return StepLoss(torch.stack(losses).sum(), len(losses), (answered == labels).sum())

    def answer(self, prepared: ClassifierRows[Inputs], rows: Tensor) -> Answered:
        """Answer with the five most probable classes."""
        was_training = self.module.training
        self.module.eval()
        with torch.inference_mode():
            logged = _vote(self.net.logits(prepared.inputs, rows).float())
            loss = F.nll_loss(logged, prepared.labels[rows], reduction="sum").item()
            best = logged.exp().topk(min(_CANDIDATES, logged.shape[1]), dim=1)
        self.module.train(was_training)
        answers = []
        for classes, probabilities in zip(best.indices.tolist(), best.values.tolist(), strict=True):
            candidates = tuple(
                (self.answers.spell(k), round(p, 6)) for k, p in zip(classes, probabilities, strict=True)
            )
            answers.append(ModelAnswer(candidates[0][0], candidates[0][1], candidates))
        return Answered(answers, loss)

    def answer_is_known(self, answer: str) -> bool:
        """Whether the answer is one of the classes."""
        return self.answers.knows(answer)

    def spec(self) -> dict[str, Any]:
        """Plain values that build the same model again."""
        return {
            "options": self.options,
            "answers": asdict(self.answers),
            "vision_digest": self._vision_digest,
            **self.extra,
        }

    def state(self) -> dict[str, Tensor]:
        """Tensors to keep."""
        return {
            name: tensor.detach().cpu().contiguous().clone()
            for name, tensor in self.module.state_dict().items()
            if not (self._vision_is_found_again and name.startswith("vision."))
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Put back what ``state`` gave.

        Raises:
            WeightsError: when it does not fit.
        """
        own = self.module.state_dict()
        expected = {n for n in own if not (self._vision_is_found_again and n.startswith("vision."))}
        if expected != set(state):
            odd = sorted(expected.symmetric_difference(state))
            raise WeightsError(f"The checkpoint does not fit the model: {', '.join(odd[:5])} missing or unexpected.")
        self.module.load_state_dict(dict(state), strict=False)

    def check_vision(self, digest: str) -> None:
        """Make sure that the frozen weights are those of training.

        Raises:
            WeightsError: when they are others.
        """
        if digest and digest != self._vision_digest:
            raise WeightsError(
                f"The weights found for {self.net.vision.spec.name} are not those that the run was trained with; "
                f"point RADVQA_WEIGHTS at the same ones."
            )

    @property
    def _vision_is_found_again(self) -> bool:
        return self.net.vision_is_cached and self.net.vision.spec.pretrained


def _vote(logits: Tensor) -> Tensor:
    """Log-probabilities ``(b, c)``: of one net ``(b, c)``, or the average probabilities of members ``(k, b, c)``."""
    if logits.ndim == 2:
        return logits.log_softmax(-1)
    return logits.log_softmax(-1).logsumexp(0) - math.log(len(logits))
