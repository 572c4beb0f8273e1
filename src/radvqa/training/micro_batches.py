"""A batch that does not fit into memory is passed in parts; its gradient stays that of the whole batch."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from radvqa import console
from radvqa.errors import RadvqaError
from radvqa.models.family import Prepared, StepLoss
from radvqa.training.state import State


class LossOf(Protocol):
    """A model, as far as its loss is asked for."""

    @property
    def module(self) -> nn.Module:
        """Everything with parameters."""
        ...

    def loss(self, prepared: Any, rows: Tensor, *, label_smoothing: float = 0.0) -> StepLoss:
        """Loss of some rows."""
        ...


@runtime_checkable
class Joins(Protocol):
    """The loss of several processes, which put their gradients together."""

    def joining(self, last: bool) -> AbstractContextManager[None]:
        """Around one part of a batch: gradients are put together in the last one."""
        ...


class MicroBatches:
    """Computes the gradient of batches, in parts of at most ``size`` questions.

    Every question weighs the same in a loss, so the parts' losses, weighted by their number of questions, add up to
    the batch's. Only batch norm that learns sees the parts instead of the whole.

    Args:
        size: questions computed at once; None begins with whole batches. When memory runs out it is halved for good.
    """

    def __init__(self, size: int | None = None) -> None:
        self.size = size

    def backward(
        self,
        model: LossOf,
        prepared: Prepared,
        rows: Tensor,
        *,
        label_smoothing: float,
        scale: Callable[[Tensor], Tensor] = lambda loss: loss,
        largest: int | None = None,
    ) -> StepLoss:
        """Fill the gradients of a batch, and return its loss and number of right answers.

        Args:
            model: whose loss it is.
            prepared: holds the rows.
            rows: of the batch.
            label_smoothing: share of probability spread over all answers.
            scale: of the loss before it is differentiated; the returned loss is not scaled.
            largest: the most rows that any of several processes has; all pass as many parts.

        Raises:
            RadvqaError: when not even one question fits into memory, or memory runs out in one of several processes.
        """
        while True:
            state = torch.get_rng_state()
            try:
                return self._parts(model, prepared, rows, label_smoothing, scale, largest or len(rows))
            except RuntimeError as error:
                if not _out_of_memory(error):
                    raise
            now = min(self.size or len(rows), len(rows))
            if isinstance(model, Joins) and now > 1:  # the others do not know, and wait for gradients
                raise RadvqaError(
                    f"Memory ran out with {now} questions at a time; start over with "
                    f"training.micro_batch_size={(now + 1) // 2} and --force-new. Only where one process trains is it "
                    f"halved by itself."
                )
            _forget(model.module.parameters())
            torch.set_rng_state(state)
            if now == 1:
                raise RadvqaError(
                    "Memory runs out with a single question at a time. Use a smaller picture (model.image_size or the "
                    "family's own setting), a smaller model, or fewer trained parts (model.train)."
                ) from None
            self.size = (now + 1) // 2
            console.say(
                f"memory ran out: batches of {len(rows)} are now computed {self.size} questions at a time, with the "
                f"same effect; set training.micro_batch_size={self.size} to begin so"
            )

    def state(self) -> State:
        """The size that fits."""
        return State(plain={"size": self.size})

    def load(self, state: State) -> None:
        """Go on with that size."""
        self.size = state.plain["size"]

    def _parts(
        self,
        model: LossOf,
        prepared: Prepared,
        rows: Tensor,
        label_smoothing: float,
        scale: Callable[[Tensor], Tensor],
        largest: int,
    ) -> StepLoss:
        if self.size is None or self.size >= largest:
            step = model.loss(prepared, rows, label_smoothing=label_smoothing)
            scale(step.loss).backward()  # type: ignore[no-untyped-call]
            return StepLoss(step.loss.detach(), step.members, step.correct)
        steps = []
        by_picture = rows[torch.argsort(prepared.image_rows[rows], stable=True)]  # a picture passes once a part
        parts = _cut(by_picture, self.size, largest)
        for number, part in enumerate(parts, start=1):
            with model.joining(number == len(parts)) if isinstance(model, Joins) else nullcontext():
                step = model.loss(prepared, part if len(part) else rows[:1], label_smoothing=label_smoothing)
                weighted = step.loss * (len(part) / len(rows))
                scale(weighted).backward()  # type: ignore[no-untyped-call]
            correct = step.correct if len(part) else torch.zeros_like(step.correct)
            steps.append(StepLoss(weighted.detach(), step.members, correct))
        return _sum(steps)


def _cut(rows: Tensor, size: int, largest: int) -> Sequence[Tensor]:
    """Cut rows into as many parts as ``largest`` rows need; where there are fewer rows, the last parts are empty."""
    parts = list(torch.split(rows, size))
    return parts + [rows[:0]] * (-(-largest // size) - len(parts))


def _sum(steps: Sequence[StepLoss]) -> StepLoss:
    loss = torch.stack([step.loss for step in steps]).sum()
    return StepLoss(loss, steps[0].members, torch.stack([step.correct for step in steps]).sum())


def _out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error)


def _forget(parameters: Iterable[nn.Parameter]) -> None:
    for parameter in parameters:
        parameter.grad = None
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
