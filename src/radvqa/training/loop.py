"""The training loop: epochs of steps, the best epoch by the selection split, checkpoints written whole."""

import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from radvqa import console
from radvqa.answering import answer_prepared
from radvqa.errors import RadvqaError
from radvqa.models.checkpoint import write_weights
from radvqa.models.family import Prepared, VqaModel
from radvqa.recipe import TrainingSection
from radvqa.run import Run
from radvqa.training import batches, selection
from radvqa.training.average import WeightAverage
from radvqa.training.micro_batches import MicroBatches


@dataclass(frozen=True)
class Chosen:
    """The epoch that was kept.

    Attributes:
        epoch: from 1 on; None when nothing was trained.
        value: of the selection metric, a fraction.
        seconds: wall time of all epochs, evaluation included.
    """

    epoch: int | None
    value: float
    seconds: float


def train(model: VqaModel, training: Prepared, chosen_on: Prepared, section: TrainingSection, run: Run) -> Chosen:
    """Train, and keep the weights of the epoch with the best selection metric (the first of equal ones).

    Args:
        model: to train, in place; it ends with the last weights, the best ones are in the run.
        training: samples to learn from.
        chosen_on: samples to choose the epoch on.
        section: how to train.
        run: where history and checkpoints go, each replaced whole after every epoch.

    Raises:
        RadvqaError: when the loss is not a number; the weights kept so far stay in the run.
    """
    if not any(parameter.requires_grad for parameter in model.module.parameters()):
        return _as_it_is(model, chosen_on, section, run)
    generator = torch.Generator().manual_seed(section.seed)
    torch.manual_seed(section.seed)
    steps = sum(1 for _ in _batches(training, section, torch.Generator().manual_seed(section.seed)))
    optimizer = _optimizer(model.module, section)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps, section))
    average = WeightAverage(model.module, section.average_decay) if section.average_decay else None
    parts = MicroBatches(section.micro_batch_size)
    history: list[dict[str, Any]] = []
    best = Chosen(0, -math.inf, 0.0)
    started = time.perf_counter()
    with console.progress("training", section.epochs * steps) as advance:
        for epoch in range(1, section.epochs + 1):
            epoch_started = time.perf_counter()
            train_loss, train_accuracy = _epoch(
                model, training, section, optimizer, schedule, average, generator, parts, advance
            )
            with average.in_place() if average else nullcontext():
                predictions, val_loss = answer_prepared(model, chosen_on)
                measured = selection.measure(predictions, [section.select_by, *selection.REPORTED])
                value = measured[section.select_by]
                if value > best.value:
                    best = Chosen(epoch, value, 0.0)
                    write_weights(run.checkpoints / "best.safetensors", model.state())
                if epoch == section.epochs:
                    write_weights(run.checkpoints / "last.safetensors", model.state())
            history.append(
                {
                    "epoch": epoch,
                    "train_loss": train_loss,
                    "train_accuracy": train_accuracy,
                    "val_loss": val_loss,
                    **{f"val_{name}": measure for name, measure in measured.items()},
                    "seconds": round(time.perf_counter() - epoch_started, 3),
                    "best": best.epoch == epoch,
                }
            )
            run.write_history(history)
    return Chosen(best.epoch, best.value, round(time.perf_counter() - started, 3))


def _as_it_is(model: VqaModel, chosen_on: Prepared, section: TrainingSection, run: Run) -> Chosen:
    """Evaluate a model that trains nothing (zero- or few-shot); its checkpoint is empty."""
    started = time.perf_counter()
    predictions, val_loss = answer_prepared(model, chosen_on)
    measured = selection.measure(predictions, [section.select_by, *selection.REPORTED])
    for which in ("best", "last"):
        write_weights(run.checkpoints / f"{which}.safetensors", model.state())
    seconds = round(time.perf_counter() - started, 3)
    values = {f"val_{name}": measure for name, measure in measured.items()}
    run.write_history([{"epoch": 0, "val_loss": val_loss, **values, "seconds": seconds, "best": True}])
    return Chosen(None, measured[section.select_by], seconds)


def _epoch(
    model: VqaModel,
    training: Prepared,
    section: TrainingSection,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    average: WeightAverage | None,
    generator: torch.Generator,
    parts: MicroBatches,
    advance: console.Advance,
) -> tuple[float, float]:
    """Run one epoch; returns the mean training loss and the training accuracy (in training mode, as it was)."""
    model.module.train()
    device = training.image_rows.device
    trained = [parameter for parameter in model.module.parameters() if parameter.requires_grad]
    loss_sum = torch.zeros((), device=device)
    correct = torch.zeros((), device=device, dtype=torch.long)
    for rows in _batches(training, section, generator):
        optimizer.zero_grad(set_to_none=True)
        step = parts.backward(model, training, rows.to(device), label_smoothing=section.label_smoothing)
        if section.clip_norm is not None:
            nn.utils.clip_grad_norm_(trained, section.clip_norm)
        optimizer.step()
        schedule.step()
        if average:
            average.update()
        loss_sum += step.loss * (len(rows) / step.members)  # summed on the device: no synchronisation per step
        correct += step.correct
        advance(1)
    samples = len(training.samples)
    loss = loss_sum.item() / samples
    if not math.isfinite(loss):
        raise RadvqaError(
            "The training loss is not a number any more; the last good checkpoint is kept. "
            "Try a smaller training.learning_rate or training.clip_norm=1."
        )
    return loss, correct.item() / samples


def _batches(training: Prepared, section: TrainingSection, generator: torch.Generator) -> Iterator[Tensor]:
    if section.images_per_batch is None:
        return batches.shuffled(len(training.samples), section.batch_size, generator)
    return batches.by_images(training.image_rows, section.batch_size, section.images_per_batch, generator)


def _optimizer(module: nn.Module, section: TrainingSection) -> torch.optim.Optimizer:
    backbone: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            (backbone if name.startswith("vision.") else rest).append(parameter)
    groups: list[dict[str, Any]] = [{"params": rest}]
    if backbone:
        groups.append({"params": backbone, "lr": section.backbone_learning_rate or section.learning_rate})
    kind = torch.optim.Adam if section.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=section.learning_rate, weight_decay=section.weight_decay, fused=True)


def _rate(step: int, steps_per_epoch: int, section: TrainingSection) -> float:
    """The learning rate at a step, as a fraction of the peak."""
    warmup = section.warmup_epochs * steps_per_epoch
    if step < warmup:
        return (step + 1) / warmup
    if section.schedule == "constant":
        return 1.0
    share = (step - warmup) / max(1.0, section.epochs * steps_per_epoch - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
