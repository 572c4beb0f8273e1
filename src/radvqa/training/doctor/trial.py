"""Learning a few samples by heart, to see whether the model can learn at all, and what of it moves."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from radvqa.models.family import VqaModel
from radvqa.training.doctor.restore import Kept

LEARNING_RATES = (2e-3, 2e-4, 2e-2)
"""Tried one after the other, from the same start, until one works."""

_STEPS = 240
_WINDOW = 30  # steps within which the loss must have fallen
_FALLEN = 0.9  # to this part of what it was
_LOOK_EVERY = 10  # steps, when dropout may hide that all is learned


@dataclass(frozen=True)
class Trial:
    """What happened.

    Attributes:
        total: number of samples.
        right: how many of them are answered token by token in evaluation mode at the end.
        first_loss: before the first step.
        last_loss: the smallest at the end of an attempt; both in evaluation mode.
        steps: of all attempts together.
        learning_rate: of the last attempt.
        reached: trained parameters that a gradient other than zero reached.
        moved: parameters and buffers that are not what they were.
    """

    total: int
    right: int
    first_loss: float
    last_loss: float
    steps: int
    learning_rate: float
    reached: frozenset[str]
    moved: frozenset[str]


def learn_by_heart(model: VqaModel, prepared: Any, rows: Tensor, start: Kept) -> Trial:
    """Train on a few rows until all are right, or nothing more is gained at any learning rate.

    Args:
        model: to train in place; it ends as the last attempt left it.
        prepared: holds the rows.
        rows: to learn, ``(b,)``.
        start: what every attempt begins from.
    """
    first_loss, right = _look(model, prepared, rows)
    reached: set[str] = set()
    moved: set[str] = set()
    steps, best_loss, rate = 0, first_loss, 0.0
    trains = any(parameter.requires_grad for parameter in model.module.parameters())
    for rate in LEARNING_RATES if trains else ():
        start.put_back()
        steps += _attempt(model, prepared, rows, rate, reached)
        moved |= start.moved()
        loss, right = _look(model, prepared, rows)
        best_loss = min(best_loss, loss) if math.isfinite(loss) else best_loss
        if right == len(rows):
            break
        if not math.isfinite(loss):
            start.put_back()  # so that what is looked at next are numbers
    return Trial(
        total=len(rows),
        right=right,
        first_loss=first_loss,
        last_loss=best_loss,
        steps=steps,
        learning_rate=rate,
        reached=frozenset(reached),
        moved=frozenset(moved),
    )


def _attempt(model: VqaModel, prepared: Any, rows: Tensor, rate: float, reached: set[str]) -> int:
    """Train at one learning rate; returns the number of steps."""
    trained = [parameter for parameter in model.module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=rate)
    losses: list[float] = []
    for step in range(1, _STEPS + 1):
        model.module.train()
        told = model.loss(prepared, rows)
        optimizer.zero_grad(set_to_none=True)
        if not told.loss.requires_grad:
            return step  # nothing that is trained takes part; the check of the parts names it
        told.loss.backward()  # type: ignore[no-untyped-call]
        if step <= 3:  # low-rank additions begin at zero, so that half of them learn from the second step on
            _note_gradients(model.module, reached)
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        losses.append(told.loss.item())
        if not math.isfinite(losses[-1]):
            return step
        learned = int(told.correct) == len(rows)
        if (learned or step % _LOOK_EVERY == 0) and step > 3 and _look(model, prepared, rows)[1] == len(rows):
            return step
        if step > 2 * _WINDOW and min(losses[-_WINDOW:]) > _FALLEN * min(losses[:-_WINDOW]):
            return step
    return _STEPS


def _note_gradients(module: nn.Module, reached: set[str]) -> None:
    for name, parameter in module.named_parameters():
        if parameter.grad is not None and parameter.grad.any():
            reached.add(name)


def _look(model: VqaModel, prepared: Any, rows: Tensor) -> tuple[float, int]:
    """Loss and number of right answers in evaluation mode."""
    model.module.eval()
    with torch.no_grad():
        told = model.loss(prepared, rows)
    return told.loss.item(), int(told.correct)
