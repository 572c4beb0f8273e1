"""A batch that does not fit into memory is passed in parts; its gradient stays that of the whole batch."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

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
    ) -> StepLoss:
        """Fill the gradients of a batch, and return its loss and number of right answers.

        Args:
            model: whose loss it is.
            prepared: holds the rows.
            rows: of the batch.
            label_smoothing: share of probability spread over all answers.
            scale: of the loss before it is differentiated; the returned loss is not scaled.

        Raises:
            RadvqaError: when not even one question fits into memory.
        """
        while True:
            state = torch.get_rng_state()
            try:
                return self._parts(model, prepared, rows, label_smoothing, scale)
            except RuntimeError as error:
                if not _out_of_memory(error):
                    raise
            _forget(model.module.parameters())
            torch.set_rng_state(state)
            now = min(self.size or len(rows), len(rows))
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
    ) -> StepLoss:
        if self.size is None or self.size >= len(rows):
            step = model.loss(prepared, rows, label_smoothing=label_smoothing)
            scale(step.loss).backward()  # type: ignore[no-untyped-call]
            return StepLoss(step.loss.detach(), step.members, step.correct)
        steps = []
        by_picture = rows[torch.argsort(prepared.image_rows[rows], stable=True)]  # a picture passes once a part
        for part in torch.split(by_picture, self.size):
            step = model.loss(prepared, part, label_smoothing=label_smoothing)
            weighted = step.loss * (len(part) / len(rows))
            scale(weighted).backward()  # type: ignore[no-untyped-call]
            steps.append(StepLoss(weighted.detach(), step.members, step.correct))
        return _sum(steps)


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
