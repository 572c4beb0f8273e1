"""The guard: what is no number is told by step and sample, and a full disk by a sentence."""

import errno
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError

from radvqa.errors import RadvqaError
from radvqa.sample import Sample
from radvqa.training import guard
from radvqa.training.guard import Guard, full_disk_is_told

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@dataclass
class Rows:
    samples: list[Sample] = field(
        default_factory=lambda: [
            Sample(f"q{n}", "d", "train", f"{n}.png", Path(f"{n}.png"), "?", "yes", "CLOSED") for n in range(20)
        ]
    )
    image_rows: torch.Tensor = field(default_factory=lambda: torch.arange(20))


def watch(device: torch.device = CPU) -> Guard:
    return Guard(Rows(), device)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_no_number_names_step_and_samples(bad: float) -> None:
    guarded = watch()
    guarded.step(1, torch.tensor([3, 4]), torch.tensor(0.5))
    with pytest.raises(RadvqaError, match=r"loss is not a number any more, at step 2 with the samples q5, q1;"):
        guarded.step(2, torch.tensor([5, 1]), torch.tensor(bad))


def test_many_samples_are_counted() -> None:
    with pytest.raises(RadvqaError, match="q0, q1, q2, q3, q4, q5, q6, q7 and 4 more; "):
        watch().step(1, torch.arange(12), torch.tensor(float("nan")))


def test_a_gpu_is_looked_at_later_and_the_first_bad_step_is_named() -> None:
    guarded = watch(GPU)
    for step in range(1, guard._BEHIND):
        loss = torch.tensor(float("nan") if step in (17, 18) else 0.5)
        guarded.step(step, torch.tensor([step % 20]), loss)  # waits for nothing
    with pytest.raises(RadvqaError, match="at step 17 with the samples q17;"):
        guarded.look()


def test_nothing_is_named_twice_and_good_steps_are_forgotten() -> None:
    guarded = watch(GPU)
    for step in range(1, 4 * guard._BEHIND):
        guarded.step(step, torch.tensor([0]), torch.tensor(0.5))
        assert len(guarded._losses) <= guard._BEHIND
    guarded.look()
    assert guarded._steps == [4 * guard._BEHIND - 1]  # the last one stays, for weights that are no numbers


def test_weights_that_are_no_numbers_are_not_kept() -> None:
    guarded = watch()
    guarded.step(7, torch.tensor([2]), torch.tensor(0.5))
    good = [torch.ones(2), torch.tensor([1, 2]), torch.tensor([1.0], dtype=torch.float16)]
    guarded.look(good)
    for bad in (torch.tensor([1.0, float("nan")]), torch.tensor([float("inf")], dtype=torch.float16)):
        with pytest.raises(RadvqaError, match="The weights are not numbers any more, at step 7 with the samples q2"):
            guarded.look([*good, bad])


def test_a_value_that_chooses_must_be_a_number() -> None:
    watch().value(0.5, 3)
    with pytest.raises(RadvqaError, match="loss on the selection split is not a number at step 3; the last good"):
        watch().value(float("nan"), 3)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EFBIG, "File too large"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_told(error: Exception) -> None:
    with pytest.raises(RadvqaError, match="The disk is full, so the training stopped; the checkpoint of step 9 is who"):
        fail(error, 9)
    with pytest.raises(RadvqaError, match=r"what was kept before is whole\. Free some room and start the same command"):
        fail(error, None)


@pytest.mark.parametrize(
    "error", [OSError(errno.EACCES, "Permission denied"), SafetensorError("(os error 2)"), RadvqaError("x"), KeyError()]
)
def test_other_errors_come_through(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        fail(error, 9)
    assert caught.value is error


def fail(error: Any, step: int | None) -> None:
    with full_disk_is_told(lambda: step):
        raise error
