"""Answering as classification over the training answers: what every discriminative family shares."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from radvqa import files
from radvqa.data.dataset import Problems
from radvqa.errors import WeightsError
from radvqa.models import parts
from radvqa.models.family import Answered, ModelAnswer, StepLoss
from radvqa.models.usable import usable
from radvqa.models.vocabulary import AnswerVocabulary
from radvqa.sample import Sample

_CANDIDATES = 5
Inputs = TypeVar("Inputs")


@dataclass(frozen=True)
class Published:
    """A pretrained checkpoint that a rebuilt model loads again.

    Attributes:
        name: ``org/name`` or a folder.
        digest: of its weights.
    """

    name: str
    digest: str


class ClassifierNet(Protocol[Inputs]):
    """A net that turns samples into inputs once, and inputs into logits every step."""

    @property
    def module(self) -> nn.Module:
        """Everything with parameters."""
        ...

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """What can be frozen or learned on its own, by name; none inside another."""
        ...

    @property
    def found_again(self) -> Mapping[str, Published]:
        """Pretrained parts by their place in ``module``: of these only what was learned is kept, if anything."""
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
        self._found_again = dict(net.found_again)

    @property
    def module(self) -> nn.Module:
        """Everything with parameters."""
        return self.net.module

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """What can be frozen or learned on its own, by name."""
        return self.net.parts

    def prepare(self, samples: Sequence[Sample], problems: Problems) -> ClassifierRows[Inputs]:
        """Turn samples into rows; see ``VqaModel.prepare``."""
        keys = self.net.image_keys(samples, problems)
        known = usable(samples, keys, problems)
        inputs = self.net.encode(known, [keys[sample.id] for sample in known])
        labels = self.answers.encode([sample.answer for sample in known])
        device = next(self.module.parameters()).device
        return ClassifierRows(known, inputs, labels.to(device), self.net.image_rows(inputs))

    def loss(self, prepared: ClassifierRows[Inputs], rows: Tensor, *, label_smoothing: float = 0.0) -> StepLoss:
        """Mean cross-entropy against the gold class; members learn side by side, each by its own loss."""
        logits, labels = self.net.logits(prepared.inputs, rows), prepared.labels[rows]
        members = logits if logits.ndim == 3 else logits[None]
        losses = [F.cross_entropy(member, labels, label_smoothing=label_smoothing) for member in members]
        answered = vote(logits.detach()).argmax(1)
        return StepLoss(torch.stack(losses).sum(), len(losses), (answered == labels).sum())

    def answer(self, prepared: ClassifierRows[Inputs], rows: Tensor, *, with_loss: bool = True) -> Answered:
        """Answer with the five most probable classes; the loss costs nothing and is always computed."""
        was_training = self.module.training
        self.module.eval()
        with torch.inference_mode():
            logged = vote(self.net.logits(prepared.inputs, rows).float())
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
            "digests": {place: published.digest for place, published in self._found_again.items()},
            **self.extra,
        }

    def state(self) -> dict[str, Tensor]:
        """Tensors to keep: what was learned of the parts that are found again, and all of the rest."""
        state = self.module.state_dict()
        return {name: state[name].detach().cpu().contiguous().clone() for name in self._kept(state)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Put back what ``state`` gave.

        Raises:
            WeightsError: when it does not fit.
        """
        own = self.module.state_dict()
        expected = self._kept(own)
        odd = sorted(set(expected).symmetric_difference(state))
        odd += [name for name in expected if name in state and own[name].shape != state[name].shape]
        if odd:
            raise WeightsError(f"The checkpoint does not fit the model: {', '.join(odd[:5])} missing or unexpected.")
        self.module.load_state_dict(dict(state), strict=False)

    def check_found_again(self, spec: Mapping[str, Any]) -> None:
        """Make sure that the pretrained weights are those that the spec's model was trained with.

        Raises:
            WeightsError: when they are others.
        """
        known = spec["digests"] if "digests" in spec else {"vision": spec["vision_digest"]}  # the key of older runs
        for place, published in self._found_again.items():
            if published.digest != known.get(place):
                raise WeightsError(
                    f"The weights found for {published.name} are not those that the run was trained with; point "
                    f"RADVQA_WEIGHTS at the same ones."
                )

    def _kept(self, names: Iterable[str]) -> list[str]:
        learned = parts.trained_names(self.module)
        places = tuple(f"{place}." for place in self._found_again)
        return [name for name in names if name in learned or not name.startswith(places)]


class PortableNet(ClassifierNet[Inputs], Protocol[Inputs]):
    """A ``ClassifierNet`` of ``transformers`` parts, which other tools can load."""

    def write_adapter(self, folder: Path) -> bool:
        """Write the adapters in PEFT's own format and what was learned beside them; False when there are none."""
        ...

    def write_merged(self, folder: Path) -> None:
        """Merge what was learned into the weights and write them in the hub's layout; the net is spent."""
        ...


class PortableClassifier(AnswerClassifier[Inputs]):
    """An ``AnswerClassifier`` that is ``Portable``; ``answers.json`` beside the weights names the classes.

    Args:
        net: scores answers, and can be written for other tools.
        answers: the classes.
        options: plain values of the family's options, for the spec.
        extra: further plain values that rebuild the net.
    """

    def __init__(
        self, net: PortableNet[Inputs], answers: AnswerVocabulary, options: dict[str, Any], extra: dict[str, Any]
    ) -> None:
        super().__init__(net, answers, options, extra)
        self._portable = net

    def write_adapter(self, folder: Path) -> bool:
        """Write what ``peft`` holds in its own format; False when the model has no adapter."""
        written = self._portable.write_adapter(folder)
        if written:
            self._write_answers(folder)
        return written

    def write_merged(self, folder: Path) -> None:
        """Merge what was learned into the weights and write them in the hub's layout; the model is spent."""
        self._portable.write_merged(folder)
        self._write_answers(folder)

    def _write_answers(self, folder: Path) -> None:
        files.write_json(folder / "answers.json", [self.answers.spell(k) for k in range(len(self.answers))])


def vote(logits: Tensor) -> Tensor:
    """Log-probabilities ``(b, c)``: of one net ``(b, c)``, or the average probabilities of members ``(k, b, c)``."""
    if logits.ndim == 2:
        return logits.log_softmax(-1)
    return logits.log_softmax(-1).logsumexp(0) - math.log(len(logits))
