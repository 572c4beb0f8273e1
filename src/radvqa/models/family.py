"""The seam for model families: what the engine, prediction and explanation ask of a model.

Letters in this room: ``b`` questions in a batch, ``l`` words of a question, ``n`` image tokens, ``d`` feature
size, ``c`` answer classes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch
from pydantic import BaseModel
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.sample import Region, Sample

Options = TypeVar("Options", bound=BaseModel)
Options_contra = TypeVar("Options_contra", bound=BaseModel, contravariant=True)


@dataclass(frozen=True)
class ModelAnswer:
    """What a model answers to one question.

    Attributes:
        text: the answer.
        confidence: its probability, in [0, 1]; None when the model tells none.
        candidates: ``(answer, probability)``, best first.
    """

    text: str
    confidence: float | None
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
    """Answers to a batch, and its summed loss against the gold (0 when it was not asked for)."""

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

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """What can be frozen or learned on its own, by name (``vision``, ``language_model`` …), none inside another."""
        ...

    def prepare(self, samples: Sequence[Sample], problems: Problems) -> Any:
        """Turn samples into rows (a ``Prepared``); pictures that cannot be read are reported and left out."""
        ...

    def loss(self, prepared: Any, rows: Tensor, *, label_smoothing: float = 0.0) -> StepLoss:
        """Loss of some rows, in the module's present mode."""
        ...

    def answer(self, prepared: Any, rows: Tensor, *, with_loss: bool = True) -> Answered:
        """Answer some rows in evaluation mode, without gradients; the loss may cost a pass of its own."""
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


@runtime_checkable
class Portable(Protocol):
    """A model whose learned weights other tools can load."""

    def write_adapter(self, folder: Path) -> bool:
        """Write the adapter in PEFT's own format; False when the model has none."""
        ...

    def write_merged(self, folder: Path) -> None:
        """Merge what was learned into the weights and write them in the hub's layout; the model is spent."""
        ...


@runtime_checkable
class Noted(Protocol):
    """A model that counts what it meets while it answers."""

    def notes(self) -> dict[str, Any]:
        """Plain values for ``run.json``: answers cut at the limit, tokens and money spent …."""
        ...


@runtime_checkable
class CountsTokens(Protocol):
    """A model whose decoder reads tokens."""

    def tokens(self, prepared: Any) -> Tensor:
        """How many tokens the decoder reads for each row (image, prompt and answer), ``(rows,)``."""
        ...


@runtime_checkable
class ComputesIn(Protocol):
    """A model that may multiply matrices in half precision; in fp16 its loss is scaled, or small gradients vanish."""

    @property
    def computed_in(self) -> torch.dtype:
        """Number format of matrix products."""
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


@runtime_checkable
class Sized(Protocol[Options_contra]):
    """A family whose full-size models can be counted without memory."""

    def skeleton(self, options: Options_contra) -> nn.Module:
        """Build everything that has parameters on the meta device, with ``requires_grad`` as in training."""
        ...
