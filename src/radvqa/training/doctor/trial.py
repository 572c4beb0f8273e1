"""Learning a few samples by heart, to see whether the model can learn at all, and what of it moves."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from radvqa.models.family import VqaModel
from radvqa.training.doctor.restore import Kept

LEARNING_RATES = (2e-3, 1e-2, 2e-4)
"""Tried for a few steps, from the same start; the first one that clearly falls, else the lowest, is gone on with."""

_FIRST_STEPS = 25  # after which another learning rate is tried, unless
_CLEARLY = 0.6  # the loss is down to this part of what it was
_STEPS = 200
_WINDOW = 50  # steps within which the loss must have fallen
_FALLEN = 0.99  # to this part of what it was
_LOOK_EVERY = 10  # steps, when dropout may hide that all is learned


@dataclass(frozen=True)
class Trial:
    """What happened.

    Attributes:
        total: number of samples.
        right: how many of them are answered token by token in evaluation mode at the end.
        first_loss: before the first step.
        last_loss: after the last one; both in evaluation mode.
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
    effort = _Effort(model, prepared, rows, start, set(), set())
    first_loss, _ = effort.look()
    if not any(parameter.requires_grad for parameter in model.module.parameters()):
        return effort.told(first_loss, 0.0)
    lowest: dict[float, float] = {}
    for rate in LEARNING_RATES:
        lowest[rate] = effort.attempt(rate, _FIRST_STEPS, goes_on=True)
        if lowest[rate] < _CLEARLY * first_loss or effort.learned:
            return effort.told(first_loss, rate)
    best = min(lowest, key=lambda rate: lowest[rate])
    effort.attempt(best, _STEPS)
    return effort.told(first_loss, best)


@dataclass
class _Effort:
    """Attempts to learn some rows, and what they moved."""

    model: VqaModel
    prepared: Any
    rows: Tensor
    start: Kept
    reached: set[str]
    moved: set[str]
    steps: int = 0
    learned: bool = False

    def attempt(self, rate: float, most: int, *, goes_on: bool = False) -> float:
        """Train from the start at one learning rate; returns the lowest loss of the last steps.

        Args:
            rate: the learning rate.
            most: number of steps.
            goes_on: train on to the end when the loss has clearly fallen by then.
        """
        self.start.put_back()
        module = self.model.module
        trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
        optimizer = torch.optim.Adam(trained, lr=rate)
        losses: list[float] = []
        while len(losses) < most:
            module.train()
            told = self.model.loss(self.prepared, self.rows)
            losses.append(told.loss.item())
            self.steps += 1
            if not told.loss.requires_grad or not math.isfinite(losses[-1]):
                break  # nothing that is trained takes part, which the checks of the parts say; or a rate too high
            optimizer.zero_grad(set_to_none=True)
            told.loss.backward()  # type: ignore[no-untyped-call]
            if len(losses) <= 3:  # low-rank additions begin at zero: half of them learn from the second step on
                self.reached |= _reached(module)
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            looks = int(told.correct) == len(self.rows) or len(losses) % _LOOK_EVERY == 0
            if looks and len(losses) > 3 and self.look()[1] == len(self.rows):
                self.learned = True
                break
            if goes_on and len(losses) == most and min(losses) < _CLEARLY * losses[0]:
                most = _STEPS
            if len(losses) > 2 * _WINDOW and min(losses[-_WINDOW:]) > _FALLEN * min(losses[:-_WINDOW]):
                break
        self.moved |= self.start.moved()
        if not math.isfinite(self.look()[0]):
            self.start.put_back()  # so that what is looked at next are numbers
            return math.inf
        return min(losses)

    def look(self) -> tuple[float, int]:
        """Loss and number of right answers in evaluation mode."""
        self.model.module.eval()
        with torch.no_grad():
            told = self.model.loss(self.prepared, self.rows)
        return told.loss.item(), int(told.correct)

    def told(self, first_loss: float, rate: float) -> Trial:
        """What happened so far."""
        last_loss, right = self.look()
        return Trial(
            total=len(self.rows),
            right=right,
            first_loss=first_loss,
            last_loss=last_loss,
            steps=self.steps,
            learning_rate=rate,
            reached=frozenset(self.reached),
            moved=frozenset(self.moved),
        )


def _reached(module: nn.Module) -> set[str]:
    return {n for n, parameter in module.named_parameters() if parameter.grad is not None and parameter.grad.any()}
