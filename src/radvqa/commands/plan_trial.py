"""The first steps of a stage, carried out to see what they cost; the model that carries them out is spent."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from radvqa.data.dataset import Problems
from radvqa.errors import DataError
from radvqa.recipe.curriculum import Stage
from radvqa.sample import Sample
from radvqa.training.stage_samples import StageSamples

if TYPE_CHECKING:
    from torch import Tensor

    from radvqa.models.family import Prepared, VqaModel
    from radvqa.training.learnable import Learnable

_STEPS = 3  # that are tried: the first is slower than the others
_ENOUGH_SECONDS = 20.0  # of steps of one stage
_ASKED = 16  # selection questions that are answered to time a look


@dataclass(frozen=True)
class Tried:
    """What a few steps of a stage told.

    Attributes:
        seconds_per_step: of the fastest step.
        seconds_per_picture: of decoding it, and of what a frozen encoder makes of it.
        seconds_per_question: of a look at the selection split.
        tokens_per_question: that the decoder reads, mean over the tried batches; None in families that read none.
    """

    seconds_per_step: float
    seconds_per_picture: float
    seconds_per_question: float
    tokens_per_question: float | None


def try_stage(one: StageSamples, model: "VqaModel", learnable: "Learnable", seed: int, problems: Problems) -> Tried:
    """Carry out the first steps of a stage, on the batches that it will begin with.

    Args:
        one: the stage and its samples.
        model: to train in place.
        learnable: of the model; lets learn what this stage does.
        seed: of the run.
        problems: where unusable pictures are reported.

    Raises:
        DataError: when a picture cannot be used, or none of the first samples.
    """
    from radvqa.models.family import CountsTokens

    samples, batches = _first_batches(one, seed)
    started = time.perf_counter()
    prepared = model.prepare(samples, problems)
    per_picture = (time.perf_counter() - started) / len({(sample.dataset, sample.image) for sample in samples})
    per_step = _step(one, model, learnable, prepared, batches)
    tokens = model.tokens(prepared).double().mean().item() if isinstance(model, CountsTokens) else None
    return Tried(per_step, per_picture, _look(one, model, problems), tokens)


def rows_of(one: StageSamples) -> int:
    """Rows of an epoch, repeated ones as often as they are repeated."""
    return sum(len(some) * source.repeat for source, some in zip(one.stage.sources, one.sources, strict=True))


def steps_of(stage: Stage, rows: int, tokens_per_question: float | None) -> int | None:
    """Steps of the stage, by the engine's own count; None for a length in tokens that are not counted yet."""
    from radvqa.training.length import steps_of

    if stage.learning.tokens is not None and tokens_per_question is None:
        return None
    return steps_of(stage.learning, rows, tokens_per_question)


def place_of(stage: Stage) -> str:
    """How messages name the stage."""
    return f"stages.{stage.number} ({stage.name})"


def _first_batches(one: StageSamples, seed: int) -> tuple[list[Sample], list[list[str]]]:
    """The samples of a stage's first batches, and their ids batch by batch; drawn by the stage's own sampler."""
    import torch

    from radvqa.training import mix

    stage = one.stage
    samples: list[Sample] = []
    rows: dict[str, Tensor] = {}
    for source, some in zip(stage.sources, one.sources, strict=True):
        rows[source.called] = torch.arange(len(samples), len(samples) + len(some)).repeat(source.repeat)
        samples += [replace(sample, id=f"{source.called}|{sample.id}") for sample in some]  # sources may share ids
    names = [(sample.dataset, sample.image) for sample in samples]
    place = {name: row for row, name in enumerate(dict.fromkeys(names))}
    pictures = torch.tensor([place[name] for name in names])
    steps = steps_of(stage, rows_of(one), None) or _STEPS
    sampler = mix.sampler_of(stage, rows, pictures, steps, seed)
    batches = [sampler.next(step).tolist() for step in range(min(_STEPS, steps))]
    used = dict.fromkeys(row for batch in batches for row in batch)
    return [samples[row] for row in used], [[samples[row].id for row in batch] for batch in batches]


def _step(
    one: StageSamples, model: "VqaModel", learnable: "Learnable", prepared: "Prepared", batches: Sequence[Sequence[str]]
) -> float:
    """Seconds of the fastest of a few steps."""
    import torch
    from torch import nn

    from radvqa.training import schedule
    from radvqa.training.length import epoch_steps
    from radvqa.training.micro_batches import MicroBatches
    from radvqa.training.optimizer import PartOptimizer

    stage, learning = one.stage, one.stage.learning
    row_of = {sample.id: row for row, sample in enumerate(prepared.samples)}
    all_rows = rows_of(one)
    steps = steps_of(stage, all_rows, None) or len(batches)
    optimizer = PartOptimizer(learnable.by_part(), learning, place_of(stage))
    parts = MicroBatches(learning.micro_batch_size)
    learnable.train()
    seconds: list[float] = []
    for step, batch in enumerate(batches):
        rows = torch.tensor([row_of[name] for name in batch if name in row_of], device=prepared.image_rows.device)
        if not len(rows) or sum(seconds) > _ENOUGH_SECONDS:
            continue
        started = time.perf_counter()
        optimizer.set_rate(schedule.rate(step, steps, epoch_steps(all_rows, learning), stage))
        optimizer.inner.zero_grad(set_to_none=True)
        told = parts.backward(model, prepared, rows, label_smoothing=learning.label_smoothing)
        if learning.clip_norm is not None:
            nn.utils.clip_grad_norm_(optimizer.parameters, learning.clip_norm)
        optimizer.inner.step()
        told.loss.item()  # waits for the device
        seconds.append(time.perf_counter() - started)
    optimizer.inner.zero_grad(set_to_none=True)
    if not seconds:
        raise DataError(f"{place_of(stage)}: none of its first samples can be used.")
    return min(seconds)


def _look(one: StageSamples, model: "VqaModel", problems: Problems) -> float:
    """Seconds that a look takes for one question: answering it, or its loss alone where that chooses."""
    import torch

    from radvqa.answering import answer_prepared
    from radvqa.training import selection

    few = one.chosen[:: max(1, len(one.chosen) // _ASKED)][:_ASKED]
    prepared = model.prepare(few, problems)
    started = time.perf_counter()
    if one.stage.learning.select_by == selection.LOSS:
        model.module.eval()
        rows = torch.arange(len(prepared.samples), device=prepared.image_rows.device)
        with torch.no_grad():
            model.loss(prepared, rows).loss.item()
    else:
        answer_prepared(model, prepared)
    return (time.perf_counter() - started) / max(1, len(prepared.samples))
