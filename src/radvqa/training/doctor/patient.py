"""What the checks look at: a model, a few prepared rows, and what happened when it learned them by heart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from radvqa.data.dataset import Problems
from radvqa.models.family import ComputesIn, ModelAnswer, VqaModel
from radvqa.models.generator import Generator
from radvqa.models.generator_net import Lesson, Written
from radvqa.sample import Sample
from radvqa.training.doctor import choose
from radvqa.training.doctor.trial import Trial


@runtime_checkable
class CountsImageTokens(Protocol):
    """A ``GeneratorNet`` that says how many tokens it makes of each picture."""

    def expected_image_tokens(self, inputs: Any, rows: Tensor) -> list[int]:
        """How many ``IMAGE_TOKEN`` the lesson of each row must hold."""
        ...


@dataclass
class Patient:
    """A model and the rows that it is examined on.

    Attributes:
        model: to be examined.
        prepared: all rows.
        few: rows that are learned by heart, ``(b,)``.
        rows: all rows; those beside the few are only looked at.
        elsewhere: the few with one another's pictures, prepared; None when they show one picture only.
        training: all samples of the training.
        modes: part → ``frozen``, ``lora`` or ``full``, where the recipe says so.
        trial: what happened when the few were learned by heart; None before.
        effects: how far other pictures moved the losses, before the trial and after it.
        effects_in_writing: how far they moved the probability of the first token that is written.
    """

    model: VqaModel
    prepared: Any
    few: Tensor
    rows: Tensor
    elsewhere: Any
    training: Sequence[Sample]
    modes: Mapping[str, str]
    trial: Trial | None = None
    effects: list[float] = field(default_factory=list)
    effects_in_writing: list[float] = field(default_factory=list)

    @property
    def samples(self) -> list[Sample]:
        """The samples of the few rows."""
        return [self.prepared.samples[row] for row in self.few.tolist()]

    @property
    def tolerance(self) -> float:
        """How far two ways to compute the same number may lie apart: rounding, in fp32 or in half precision."""
        half = isinstance(self.model, ComputesIn) and self.model.computed_in != torch.float32
        return 5e-2 if half or self.few.device.type != "cpu" else 2e-4

    @cached_property
    def lesson(self) -> Lesson:
        """What all rows teach; only of models that write."""
        return writer(self.model).lesson(self.prepared, self.rows)

    def answers(self, rows: Tensor) -> list[ModelAnswer]:
        """What the model answers to some rows."""
        return self.model.answer(self.prepared, rows, with_loss=False).answers

    @property
    def swapped(self) -> Tensor:
        """The few rows of what was prepared with other pictures."""
        return torch.arange(len(self.few), device=self.few.device)

    def written(self, rows: Tensor, prepared: Any = None, *, limit: int | None = None) -> list[Written]:
        """What the net writes for some rows; only of models that write."""
        model = writer(self.model)
        model.module.eval()
        inputs = (self.prepared if prepared is None else prepared).inputs
        with torch.no_grad():
            return model.net.write(inputs, rows, limit or model.answering.tokens)

    def losses(self, prepared: Any, rows: Tensor) -> list[float]:
        """Loss of each row alone, in evaluation mode."""
        self.model.module.eval()
        with torch.no_grad():
            return [self.model.loss(prepared, row[None]).loss.item() for row in rows]

    def look_at_other_pictures(self) -> None:
        """Note how far losses and first tokens move, relative to their size, when questions get other pictures."""
        if self.elsewhere is None:
            return
        self.effects.append(_largest(self.losses(self.prepared, self.few), self.losses(self.elsewhere, self.swapped)))
        if writes(self.model):
            own, other = (
                [one.log_probability for one in self.written(rows, prepared, limit=1)]
                for prepared, rows in ((self.prepared, self.few), (self.elsewhere, self.swapped))
            )
            self.effects_in_writing.append(_largest(own, other))


def _largest(own: list[float], other: list[float]) -> float:
    return max(abs(a - b) / max(1.0, abs(a)) for a, b in zip(own, other, strict=True))


def admit(model: VqaModel, samples: Sequence[Sample], problems: Problems, modes: Mapping[str, str]) -> Patient:
    """Choose and prepare a few of the training samples."""
    chosen = choose.choose(samples)
    prepared = model.prepare([*chosen.few, *chosen.beside], problems)
    few_ids = {sample.id for sample in chosen.few}
    device = prepared.image_rows.device
    rows = torch.arange(len(prepared.samples), device=device)
    few = rows[torch.tensor([s.id in few_ids for s in prepared.samples], device=device)]
    if not len(few):
        few = rows
    others = choose.swapped([prepared.samples[row] for row in few.tolist()])
    elsewhere = model.prepare(others, problems) if others else None
    return Patient(model, prepared, few, rows, elsewhere, samples, modes)


def writes(model: VqaModel) -> bool:
    """Whether a model answers by writing."""
    return isinstance(model, Generator)


def writer(model: VqaModel) -> Generator[Any]:
    """The model as one that writes."""
    if not isinstance(model, Generator):
        raise TypeError(f"{type(model).__name__} does not write its answers")
    return model
