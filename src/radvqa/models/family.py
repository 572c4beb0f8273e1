"""The seam for model families: what the engine, prediction and explanation ask of a model.

Letters in this room: ``b`` questions in a batch, ``l`` words of a question, ``n`` image tokens, ``d`` feature
size, ``c`` answer classes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import torch
from pydantic import BaseModel
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.sample import Region, Sample

Options = TypeVar("Options", bound=BaseModel)


@dataclass(frozen=True)
class ModelAnswer:
    """What a model answers to one question.

    Attributes:
        text: the answer.
        confidence: its probability, in [0, 1].
        candidates: ``(answer, probability)``, best first.
    """

    text: str
    confidence: float
    candidates: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class StepLoss:
    """Loss of one batch.

    Attributes:
        loss: to differentiate; the sum over members of their mean loss over the batch.
        members: number of nets that learn side by side; ``loss / members`` is reported.
        correct: number of questions answered correctly, without synchronising the device.
    """

    loss: Tensor
    members: int
    correct: Tensor


@dataclass(frozen=True)
class Answered:
    """Answers to a batch, and its summed loss against the gold."""

    answers: list[ModelAnswer]
    loss_sum: float


@dataclass
class Context:
    """What a family gets to build a model.

    Attributes:
        training: samples that vocabularies and auxiliary heads may learn from; nothing else may be learned from.
        regions: labelled organs and findings of a sample's picture; used on training samples only.
        seed: of initial weights.
        device: where the model shall live.
        problems: where unusable samples are reported.
    """

    training: Sequence[Sample]
    regions: Callable[[Sample], list[Region]] = field(default=lambda sample: [])
    seed: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    problems: Problems = field(default_factory=Problems)


class Prepared(Protocol):
    """Samples turned into something that a model indexes by row, computed once for all epochs."""

    @property
    def samples(self) -> Sequence[Sample]:
        """The usable samples, in order; row ``i`` is ``samples[i]``."""
        ...

    @property
    def image_rows(self) -> Tensor:
        """Which distinct picture each row shows, ``(rows,)``."""
        ...


class VqaModel(Protocol):
    """A model that answers questions about images and can be trained."""

    @property
    def module(self) -> nn.Module:
        """Everything with parameters; what is frozen has ``requires_grad`` false. A backbone's name is ``vision``."""
        ...

    def prepare(self, samples: Sequence[Sample], problems: Problems) -> Any:
        """Turn samples into rows (a ``Prepared``); pictures that cannot be read are reported and left out."""
        ...

    def loss(self, prepared: Any, rows: Tensor, *, label_smoothing: float = 0.0) -> StepLoss:
        """Loss of some rows, in the module's present mode."""
        ...

    def answer(self, prepared: Any, rows: Tensor) -> Answered:
        """Answer some rows in evaluation mode, without gradients."""
        ...

    def answer_is_known(self, answer: str) -> bool:
        """Whether a gold answer occurred among the training answers (normalised)."""
        ...

    def spec(self) -> dict[str, Any]:
        """Plain values that build the same model again: options, vocabularies, fingerprints of frozen weights."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Tensors to keep; frozen pretrained weights are left out, because they are found again by name."""
        ...

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Put back what ``state`` gave.

        Raises:
            WeightsError: when it does not fit, or the frozen weights found by name are other ones than at training.
        """
        ...


class Family(Protocol[Options]):
    """A model family: its options, and how to build a model anew or from a spec."""

    options: type[Options]

    def build(self, options: Options, context: Context) -> VqaModel:
        """Build a model to train."""
        ...

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes; weights are loaded afterwards by ``load_state``."""
        ...
