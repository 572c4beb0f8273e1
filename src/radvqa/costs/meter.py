"""What a training run costs, added up while it runs and over interruptions."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from radvqa import device as machine
from radvqa.costs.energy import Energy
from radvqa.costs.flops import count_flops
from radvqa.costs.parameters import parameters_by_part
from radvqa.costs.peaks import Precision, peak

ONLY = "training"  # the name of the stage in a run that has one


class Meter:
    """Adds up time, samples, operations, memory and energy; what it is told are plain numbers, so no device waits.

    Operations are counted in the first step of each stage, because stages train different parts, and grow with the
    samples of the stage from there. Work that a kill destroyed and that was done again is counted once.

    Args:
        parts: of the model, by name.
        device: that trains.
        whole: the module that holds the parts, so that what lies in none of them is counted too.
        precision: that matrices are multiplied in.
        devices: how many such devices train together; samples and tokens told are those of all of them.
    """

    def __init__(
        self,
        parts: Mapping[str, nn.Module],
        device: torch.device,
        *,
        whole: nn.Module | None = None,
        precision: Precision = "fp32",
        devices: int = 1,
    ) -> None:
        self.device, self.precision, self.devices = device, precision, devices
        self.parts, self.whole = parts, whole
        self.seconds = self.waited = self.evaluation_seconds = 0.0
        self.samples = self.interruptions = 0
        self.tokens: int | None = None
        self.stages: dict[str, dict[str, int]] = {}
        self.stage = ONLY
        self.memory: dict[str, int | None] = {"peak_memory_bytes": None, "peak_gpu_memory_bytes": None}
        self.energy, self.joules_before = Energy.of(device), 0.0
        self._flops = 0

    @contextmanager
    def counting(self, stage: str = ONLY) -> Iterator[None]:
        """Count the operations of the step inside; results and random states are those of an uncounted step.

        Args:
            stage: which the following steps belong to, until another is named. A stage may be counted repeatedly.
        """
        self.stage = stage
        with count_flops() as counted:
            yield
        self._flops = counted.flops

    def counted(self, samples: int) -> None:
        """Say how many samples the counted step had on this device."""
        stage = self._stage()
        stage["flops"] += self._flops
        stage["counted"] += samples
        self._flops = 0

    def step(self, samples: int, tokens: int | None, seconds: float, waited: float) -> None:
        """Take in a step.

        Args:
            samples: learned from.
            tokens: read; None in families that read none.
            seconds: of the whole step, with the waiting.
            waited: seconds of these until its data were there.
        """
        self.samples += samples
        self._stage()["samples"] += samples
        if tokens is not None:
            self.tokens = (self.tokens or 0) + tokens
        self.seconds += seconds
        self.waited += waited
        self.energy.look()

    def evaluation(self, seconds: float) -> None:
        """Take in an evaluation."""
        self.evaluation_seconds += seconds
        self.energy.look()

    def interrupted(self) -> None:
        """Take in that the run goes on after an interruption; called after ``load``."""
        self.interruptions += 1

    def state(self) -> dict[str, Any]:
        """Return everything as plain values that JSON can hold."""
        self._look_at_memory()
        return {
            "seconds": self.seconds,
            "waited": self.waited,
            "evaluation_seconds": self.evaluation_seconds,
            "samples": self.samples,
            "tokens": self.tokens,
            "interruptions": self.interruptions,
            "stages": {name: dict(stage) for name, stage in self.stages.items()},
            "stage": self.stage,
            "memory": dict(self.memory),
            "joules": self._joules(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state`` gave, in another process."""
        self.seconds, self.waited = state["seconds"], state["waited"]
        self.evaluation_seconds = state["evaluation_seconds"]
        self.samples, self.tokens, self.interruptions = state["samples"], state["tokens"], state["interruptions"]
        self.stages = {name: dict(stage) for name, stage in state["stages"].items()}
        self.stage = state["stage"]
        self.memory = dict(state["memory"])
        if state["joules"] is None:
            self.energy = Energy(None, "unknown: it was not known before an interruption")
        else:
            self.joules_before = state["joules"]

    def summary(self) -> dict[str, Any]:
        """Return what the run cost, as plain values; takes a moment where the device's speed has to be measured."""
        self._look_at_memory()  # before anything is measured
        flops = self._training_flops()
        speed = peak(self.device, self.precision)
        most = speed.flops_per_second * self.devices
        return {
            "wall_seconds": round(self.seconds, 3),
            "evaluation_seconds": round(self.evaluation_seconds, 3),
            "samples": self.samples,
            "samples_per_second": _ratio(self.samples, self.seconds),
            "tokens": self.tokens,
            "tokens_per_second": _ratio(self.tokens, self.seconds),
            "data_waiting_share": _ratio(self.waited, self.seconds),
            **self.memory,
            "parameters": parameters_by_part(self.parts, self.whole),
            "flops": flops,
            "flops_per_sample": _ratio(flops, self.samples),
            "flops_how": self._counted_how(flops),
            "devices": self.devices,
            "peak_flops_per_second": most,
            "peak_flops_how": speed.how + (f", times {self.devices} devices" if self.devices > 1 else ""),
            "utilisation": _ratio(_ratio(flops, self.seconds), most),
            "energy_joules": self._joules(),
            "energy_how": self.energy.how,
            "interruptions": self.interruptions,
        }

    def _stage(self) -> dict[str, int]:
        return self.stages.setdefault(self.stage, {"flops": 0, "counted": 0, "samples": 0})

    def _training_flops(self) -> int | None:
        """Operations of all stages; None when a stage with samples was not counted."""
        total = 0.0
        for stage in self.stages.values():
            if stage["samples"] and not stage["counted"]:
                return None
            total += stage["samples"] * stage["flops"] / max(1, stage["counted"])
        return round(total)

    def _counted_how(self, flops: int | None) -> str:
        if not self.samples:
            return "nothing was trained"
        if flops is None:
            return "unknown: no step of a stage was counted"
        counted = sum(stage["counted"] for stage in self.stages.values())
        return (
            "estimated: matrix products, convolutions, attention and recurrent layers, forward and backward, counted "
            f"on {counted} samples and multiplied up to all, stage by stage"
        )

    def _joules(self) -> float | None:
        joules = self.energy.total()
        return None if joules is None else round(self.joules_before + joules, 3)

    def _look_at_memory(self) -> None:
        now = {
            "peak_memory_bytes": machine.peak_memory_bytes(),
            "peak_gpu_memory_bytes": machine.peak_gpu_memory_bytes(self.device),
        }
        for key, peaked in now.items():
            if peaked is not None:
                self.memory[key] = max(peaked, self.memory[key] or 0)


def _ratio(of: float | None, to: float | None) -> float | None:
    return of / to if of is not None and to else None
