"""A batch that does not fit is passed in halves; see test_every_family for the gradients."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from radvqa.errors import RadvqaError
from radvqa.models.family import StepLoss
from radvqa.training.micro_batches import MicroBatches


@dataclass
class Rows:
    image_rows: Tensor


@dataclass
class Hungry:
    """A linear model that has room for so many questions at once."""

    room: int
    module: nn.Module = field(default_factory=lambda: nn.Linear(1, 1, bias=False))
    asked: list[int] = field(default_factory=list)

    def loss(self, prepared: Rows, rows: Tensor, *, label_smoothing: float = 0.0) -> StepLoss:
        self.asked.append(len(rows))
        if len(rows) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        told = self.module(rows.float()[:, None])
        return StepLoss(told.mean(), 1, (rows % 2 == 0).sum())


def backward(model: Any, size: int | None, rows: int = 10) -> tuple[StepLoss, MicroBatches]:
    parts = MicroBatches(size)
    prepared: Any = Rows(torch.zeros(rows, dtype=torch.long))
    return parts.backward(model, prepared, torch.arange(rows), label_smoothing=0.0), parts


def test_memory_that_runs_out_halves_the_parts_and_keeps_the_gradient(capsys: pytest.CaptureFixture[str]) -> None:
    whole, hungry = Hungry(99), Hungry(3)
    hungry.module.load_state_dict(whole.module.state_dict())
    expected, _ = backward(whole, None)
    step, parts = backward(hungry, None)
    assert parts.size == 3
    assert hungry.asked == [10, 5, 3, 3, 3, 1]
    torch.testing.assert_close(step.loss, expected.loss)
    assert int(step.correct) == int(expected.correct) == 5
    for ours, plain in zip(hungry.module.parameters(), whole.module.parameters(), strict=True):
        assert ours.grad is not None
        torch.testing.assert_close(ours.grad, plain.grad)
    assert "training.micro_batch_size=3" in capsys.readouterr().err


def test_the_smaller_size_stays(capsys: pytest.CaptureFixture[str]) -> None:
    hungry, parts = Hungry(5), MicroBatches()
    prepared: Any = Rows(torch.zeros(10, dtype=torch.long))
    for _ in range(2):
        parts.backward(hungry, prepared, torch.arange(10), label_smoothing=0.0)
    assert hungry.asked == [10, 5, 5, 5, 5]


def test_one_question_that_does_not_fit_is_told() -> None:
    with pytest.raises(RadvqaError, match=r"single question at a time.*model\.image_size"):
        backward(Hungry(0), 1)


def test_other_errors_come_through() -> None:
    class Broken(Hungry):
        def loss(self, prepared: Rows, rows: Tensor, *, label_smoothing: float = 0.0) -> StepLoss:
            raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        backward(Broken(1), None)
