"""How processes share a batch, agree on snapshots and keep what differs between them: by hand, in one process."""

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from radvqa.models.family import StepLoss
from radvqa.training.micro_batches import MicroBatches
from radvqa.training.of_each import OfEach, Sent
from radvqa.training.pace import Pace
from radvqa.training.processes import Alone, Processes, share
from radvqa.training.state import State

T = TypeVar("T")

PICTURES = st.lists(st.integers(0, 5), min_size=1, max_size=40)


@given(PICTURES, st.integers(1, 6))
def test_every_row_has_one_process_and_counts_differ_by_one_at_most(pictures: list[int], count: int) -> None:
    rows = torch.randperm(len(pictures))
    shares = [share(rows, torch.tensor(pictures), index, count) for index in range(count)]
    counted = [one.rows[: one.counted].tolist() for one in shares]
    assert sorted(row for some in counted for row in some) == list(range(len(pictures)))
    sizes = [one.counted for one in shares]
    assert max(sizes) - min(sizes) <= 1
    assert {one.largest for one in shares} == {max(sizes)}
    assert all(len(one.rows) == max(1, one.counted) for one in shares), "without a row of its own, one stands in"


@given(PICTURES, st.integers(1, 6))
def test_a_process_more_cuts_at_most_one_picture_more(pictures: list[int], count: int) -> None:
    shares = [share(torch.arange(len(pictures)), torch.tensor(pictures), index, count) for index in range(count)]
    shown = [{pictures[row] for row in one.rows[: one.counted].tolist()} for one in shares]
    assert sum(map(len, shown)) <= len(set(pictures)) + count - 1


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=40), st.integers(1, 6))
def test_the_mean_over_processes_is_the_mean_over_the_batch(losses: list[float], count: int) -> None:
    values = torch.tensor(losses, dtype=torch.float64)
    shares = [share(torch.arange(len(losses)), torch.arange(len(losses)), index, count) for index in range(count)]
    told = [one.factor * values[one.rows].mean() for one in shares]
    assert torch.stack(told).mean().item() == pytest.approx(values.mean().item(), abs=1e-9)


class Line:
    """A model with one weight: its loss is the mean of the rows times the weight; notes when gradients are joined."""

    def __init__(self) -> None:
        self.module = nn.Linear(1, 1, bias=False)
        self.joined: list[bool] = []

    def loss(self, prepared: Any, rows: Tensor, *, label_smoothing: float = 0.0) -> StepLoss:
        loss = (self.module.weight.sum() * rows.float()).mean()
        return StepLoss(loss, 1, torch.tensor(len(rows)))

    def joining(self, last: bool) -> Any:
        self.joined.append(last)
        return torch.enable_grad()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("size", [None, 1, 2, 3])
def test_gradients_of_parts_and_processes_are_those_of_the_batch(count: int, size: int | None) -> None:
    rows = torch.tensor([3, 1, 4, 1, 5])  # the gradient of the mean is 14 / 5
    prepared = type("Prepared", (), {"image_rows": torch.arange(6), "samples": ()})()
    gradients, parts, right = [], set(), 0
    for index in range(count):
        own, line = share(rows, prepared.image_rows, index, count), Line()
        told = MicroBatches(size).backward(
            line,
            prepared,
            own.rows,
            label_smoothing=0.0,
            scale=lambda loss, factor=own.factor: loss * factor,  # type: ignore[misc]
            largest=own.largest,
        )
        gradients.append(cast("Tensor", line.module.weight.grad).sum())
        parts.add(len(line.joined))
        right += int(told.correct) if own.counted else 0
        assert line.joined == [False] * (len(line.joined) - 1) + [True] * bool(line.joined), "joined once, at the end"
    assert torch.stack(gradients).mean().item() == pytest.approx(14 / 5)
    assert len(parts) == 1, "all processes pass as many parts"
    assert right == 5


class Two(Alone):
    """The first of two processes; writes down what is agreed on."""

    count = 2

    def __init__(self) -> None:
        self.agreed: list[Any] = []

    def agree(self, value: T) -> T:
        self.agreed.append(value)
        return value


def snapshots(seconds: float, steps: int, processes: Processes, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Steps after which a snapshot is due, where each step takes a second."""
    now = 0.0
    monkeypatch.setattr("radvqa.training.pace.time.monotonic", lambda: now)
    paced, due = Pace(seconds, processes), []
    for step in range(1, steps + 1):
        now += 1
        if paced.due():
            due.append(step)
            paced.taken()
    return due


def test_several_processes_ask_each_other_seldom_and_keep_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    two = Two()
    assert snapshots(100, 1000, Alone(), monkeypatch) == list(range(100, 1001, 100))
    due = snapshots(100, 1000, two, monkeypatch)
    assert due == list(range(100, 1001, 100)), "steps of equal length are foreseen exactly"
    assert len(two.agreed) < 30, "not after every step"
    assert snapshots(0, 5, Two(), monkeypatch) == [1, 2, 3, 4, 5]


class Kept:
    """A part of the engine that holds one tensor."""

    def __init__(self, value: float) -> None:
        self.value = value

    def state(self) -> State:
        return State({"value": torch.tensor(self.value)}, {"doubled": 2 * self.value})

    def load(self, state: State) -> None:
        self.value = state.tensors["value"].item()
        assert state.plain["doubled"] == 2 * self.value


def test_what_differs_between_processes_is_kept_for_each() -> None:
    sent: list[Sent] = []

    def gather(values: Sequence[Sent]) -> list[Sent]:
        sent.extend(values)
        return sent

    OfEach(Kept(1.5), 0, gather).state()
    together = OfEach(Kept(2.5), 1, gather).state()
    first, second = Kept(0), Kept(0)
    OfEach(first, 0, gather).load(together)
    OfEach(second, 1, gather).load(together)
    assert (first.value, second.value) == (1.5, 2.5)
