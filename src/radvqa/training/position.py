"""Where a training is: its stage, its step, what it has seen, and the sums since it last looked."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from radvqa.training.state import State


class Position:
    """Counts of a run.

    Attributes:
        stage: number of the present stage, from 1 on.
        stage_step: steps of it that are done.
        step: steps since the start of the run.
        samples: learned from since the start of the run.
        tokens: read since the start of the run; None in families that read none.
    """

    def __init__(self) -> None:
        self.stage, self.stage_step, self.step, self.samples = 1, 0, 0, 0
        self.tokens: int | None = None

    def state(self) -> State:
        """All of it."""
        return State(plain=vars(self).copy())

    def load(self, state: State) -> None:
        """Go on from there."""
        vars(self).update(state.plain)


class Sums:
    """Loss and right answers since the last look, summed on the device so that no step waits for it.

    Args:
        device: where losses are.
    """

    def __init__(self, device: torch.device) -> None:
        self._loss = torch.zeros((), device=device)
        self._correct = torch.zeros((), device=device, dtype=torch.long)
        self._samples = 0

    def add(self, loss: torch.Tensor, correct: torch.Tensor, samples: int) -> None:
        """Take in a step: its summed loss and its number of right answers."""
        self._loss = self._loss + loss
        self._correct = self._correct + correct
        self._samples += samples

    def take(self) -> tuple[torch.Tensor, torch.Tensor, int]:
        """Return summed loss, right answers and samples, and begin anew."""
        taken = self._loss, self._correct, self._samples
        self._loss, self._correct, self._samples = torch.zeros_like(self._loss), torch.zeros_like(self._correct), 0
        return taken

    def state(self) -> State:
        """All of it."""
        return State({"loss": self._loss.cpu(), "correct": self._correct.cpu()}, {"samples": self._samples})

    def load(self, state: State) -> None:
        """Go on from there."""
        self._loss = state.tensors["loss"].to(self._loss.device)
        self._correct = state.tensors["correct"].to(self._correct.device)
        self._samples = state.plain["samples"]


class History:
    """The rows of ``history.jsonl``, one a look."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in a look."""
        self.rows.append(dict(row))

    def state(self) -> State:
        """All rows."""
        return State(plain={"rows": self.rows})

    def load(self, state: State) -> None:
        """Go on from there."""
        self.rows = [dict(row) for row in state.plain["rows"]]


class Done:
    """What the stages before the present one came to, for ``run.json``.

    Attributes:
        stages: one mapping each.
        left_out: samples of theirs that could not be used, one sentence for each.
        longer: gold answers of theirs that are longer than what may be written; None in families that choose.
    """

    def __init__(self) -> None:
        self.stages: list[dict[str, Any]] = []
        self.left_out: list[str] = []
        self.longer: int | None = None

    def add(self, stage: Mapping[str, Any], left_out: Sequence[str], longer: int | None) -> None:
        """Take in a stage that ended."""
        self.stages.append(dict(stage))
        self.left_out.extend(left_out)
        self.longer = self.longer if longer is None else (self.longer or 0) + longer

    def state(self) -> State:
        """All of it."""
        return State(plain=vars(self).copy())

    def load(self, state: State) -> None:
        """Go on from there."""
        self.stages = [dict(stage) for stage in state.plain["stages"]]
        self.left_out, self.longer = list(state.plain["left_out"]), state.plain["longer"]
