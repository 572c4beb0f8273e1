"""The training loop: the stages of a curriculum, from the start or from the newest snapshot."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from radvqa import console
from radvqa.costs.meter import Meter
from radvqa.costs.peaks import Precision
from radvqa.data.dataset import Problems
from radvqa.device import give_back_freed_memory
from radvqa.errors import RunError
from radvqa.models.checkpoint import read_weights, write_weights
from radvqa.models.family import ComputesIn, VqaModel
from radvqa.recipe.learning import LearningSection, TrainingSection
from radvqa.run import Run
from radvqa.tracking.tracking import Tracking
from radvqa.training.data import prepare_stage
from radvqa.training.guard import full_disk_is_told
from radvqa.training.learnable import Learnable
from radvqa.training.looking import look
from radvqa.training.micro_batches import MicroBatches
from radvqa.training.pace import Pace
from radvqa.training.position import Done, History, Position
from radvqa.training.processes import Alone, Processes
from radvqa.training.rehearsal import rehearse
from radvqa.training.snapshot import Snapshot, Snapshots
from radvqa.training.stage_run import Shared, StageRun
from radvqa.training.stage_samples import StageSamples


@dataclass(frozen=True)
class Trained:
    """What a training came to.

    Attributes:
        epoch: look of the last stage that was kept, from 1 on; None when nothing was trained.
        looks: of the last stage.
        value: of the selection metric.
        metric: that chose.
        stages: of each stage, what it came to.
        cost: what it all cost.
        seconds: wall time of this process.
        longer: gold answers that are longer than what may be written, over all stages; None in families that choose.
    """

    epoch: int | None
    looks: int
    value: float
    metric: str
    stages: list[dict[str, Any]]
    cost: dict[str, Any]
    seconds: float
    longer: int | None


def train(
    model: VqaModel,
    stages: Sequence[StageSamples],
    section: TrainingSection,
    run: Run,
    problems: Problems,
    processes: Processes | None = None,
) -> Trained:
    """Carry out the stages of a curriculum, keeping the best weights of each by its own choice.

    An interrupted training goes on from its newest snapshot; on CPUs what it comes to is then, bit by bit, what it
    would have come to.

    Args:
        model: to train, in place; it ends with the last weights, the best ones are in the run.
        stages: what is learned from and chosen on, in order.
        section: what holds for the whole run.
        run: where history, log and checkpoints go, each replaced whole.
        problems: where unusable samples are reported.
        processes: that train together; one by default.

    Raises:
        RadvqaError: when the loss is no number, or the disk is full; the weights kept so far stay in the run.
    """
    started = time.perf_counter()
    processes = processes or Alone()
    learnable = Learnable(model)
    if not learnable.parameters and len(stages) == 1:
        return _as_it_is(model, stages[-1], run, problems, started, processes)
    snapshots = Snapshots(run.checkpoints / "resume")
    snapshot = snapshots.newest()
    _require_same_processes(snapshot, run, processes)
    if snapshot is None:
        rehearse(model, learnable, stages)
    processes.begin(model)
    learnable = Learnable(model)  # the weights may be others now
    device = next(iter(learnable.parameters.values())).device
    shared = Shared(
        model,
        learnable,
        section,
        run,
        processes,
        Meter(model.parts, device, whole=model.module, precision=_precision(model), devices=processes.count),
        _tracking(run, section, snapshot) if processes.main else None,
        Position(),
        History(),
        Done(),
        MicroBatches(section.micro_batch_size),
    )
    torch.manual_seed(section.seed + processes.index)  # what is dropped differs between processes
    training = _Curriculum(shared, stages, problems, snapshots)
    try:
        last = training.carry_out(snapshot)
    finally:
        if shared.tracking is not None:
            with full_disk_is_told(lambda: training.kept_step):
                shared.tracking.close()
    learnable.restore()
    return Trained(
        last.stopping.look,
        last.stopping.looks,
        last.stopping.value or 0.0,
        last.stage.learning.select_by,
        shared.done.stages,
        shared.meter.summary(),
        round(time.perf_counter() - started, 3),
        shared.done.longer,
    )


class _Curriculum:
    """Stage after stage.

    Args:
        shared: what outlives a stage.
        stages: what is learned from and chosen on, in order.
        problems: where unusable samples are reported.
        snapshots: of the run.

    Attributes:
        kept_step: of the newest snapshot; None while there is none.
    """

    def __init__(
        self, shared: Shared, stages: Sequence[StageSamples], problems: Problems, snapshots: Snapshots
    ) -> None:
        self._shared, self._stages, self._problems, self._snapshots = shared, stages, problems, snapshots
        self._pace = Pace(shared.section.checkpoint_seconds, shared.processes)
        self._initial = shared.weights.tensors() if any(one.stage.carry.parts for one in stages) else {}
        self.kept_step: int | None = None

    def carry_out(self, snapshot: Snapshot | None) -> StageRun:
        """Carry out what is left, and return the last stage."""
        begin = 1
        if snapshot is not None:
            begin, self.kept_step = int(snapshot.states["position"].plain["stage"]), snapshot.step
        last: StageRun | None = None
        for samples in self._stages[begin - 1 :]:
            stage = self._set_up(samples, last, snapshot if samples.stage.number == begin else None)
            with full_disk_is_told(lambda: self.kept_step):
                self._run(stage)
            last = stage
        if last is None:
            raise ValueError("a curriculum has stages")
        return last

    def _set_up(self, samples: StageSamples, before: StageRun | None, snapshot: Snapshot | None) -> StageRun:
        shared, stage = self._shared, samples.stage
        if len(self._stages) > 1:
            console.say(f"stage {stage.number} of {len(self._stages)}: {stage.name}")
        if before is not None:
            self._carry_over(before, stage.carry.weights, stage.carry.parts)
            shared.position.stage, shared.position.stage_step = stage.number, 0
        found = self._problems.found
        known = len(found)
        with shared.processes.whole(shared.model):
            data = prepare_stage(shared.model, samples, self._problems)
        shared.micro_batches.size = stage.learning.micro_batch_size or shared.micro_batches.size
        present = StageRun(shared, stage, data, self._best_file(stage.number, stage.name))
        if snapshot is not None:
            snapshot.put_back(present.parts)
            found[known:known] = shared.done.left_out
            shared.meter.interrupted()
            console.say(f"going on from step {shared.position.step}")
        elif before is not None and stage.carry.optimizer:
            present.optimizer.take_over(before.optimizer)
        return present

    def _run(self, stage: StageRun) -> None:
        shared = self._shared
        shared.learnable.train()
        with console.progress("training", stage.steps) as advance:
            advance(shared.position.stage_step)
            while not stage.over:
                stage.step()
                if stage.at_a_look:
                    stage.look()
                advance(1)
                self._save_if_due(stage)
        if stage.average:
            stage.average.stay()
        if stage.stage.number == len(self._stages):
            last = shared.weights.tensors()
            if shared.processes.main:
                write_weights(shared.run.checkpoints / "last.safetensors", last)
        shared.done.add(stage.ended(), stage.data.left_out, stage.data.longer)
        give_back_freed_memory()

    def _save_if_due(self, stage: StageRun) -> None:
        shared = self._shared
        if not self._pace.due():
            return
        stage.guard.look(list(shared.weights.tensors().values()))
        if shared.tracking is not None:
            shared.tracking.flush()
        self._snapshots.write(shared.position.step, stage.parts, shared.processes)
        self.kept_step = shared.position.step
        self._pace.taken()

    def _carry_over(self, before: StageRun, which: str, parts: Sequence[str] | None) -> None:
        weights = self._shared.weights
        self._shared.processes.wait()  # until the best ones are written
        tensors = read_weights(before.best) if which == "best" else weights.tensors()
        if parts is not None:
            tensors = {
                name: tensor if self._part_of(name) in parts else self._initial[name]
                for name, tensor in tensors.items()
            }
        weights.put_back(tensors)

    def _part_of(self, name: str) -> str:
        model = self._shared.model
        places = {id(module): place for place, module in model.module.named_modules()}
        for part, module in model.parts.items():
            if name.startswith(f"{places[id(module)]}."):
                return part
        return ""

    def _best_file(self, number: int, name: str) -> Path:
        folder = self._shared.run.checkpoints
        if number == len(self._stages):
            return folder / "best.safetensors"
        return folder / "stages" / f"{number}-{re.sub(r'[^A-Za-z0-9_.-]+', '_', name)}.safetensors"


def _precision(model: VqaModel) -> Precision:
    formats: dict[torch.dtype, Precision] = {torch.bfloat16: "bf16", torch.float16: "fp16"}
    return formats.get(model.computed_in, "fp32") if isinstance(model, ComputesIn) else "fp32"


def _tracking(run: Run, section: TrainingSection, snapshot: Snapshot | None) -> Tracking:
    step = snapshot.step if snapshot is not None else 0
    return Tracking.open(run.folder / "log", section.trackers, run.name, run.recipe, from_step=step)


def _require_same_processes(snapshot: Snapshot | None, run: Run, processes: Processes) -> None:
    """Refuse to go on with another number of processes than a snapshot is of.

    Raises:
        RunError: says both numbers; or that a process does not see what the main one sees.
    """
    if snapshot is not None and snapshot.processes != processes.count:
        raise RunError(
            f"{run.folder} was trained by {snapshot.processes} processes so far, and now there are {processes.count}; "
            f"what it comes to would not be the same. Go on with as many, or start over with --force-new."
        )
    step = None if snapshot is None else snapshot.step
    if processes.agree(step) != step:
        raise RunError(
            f"{run.folder} is another folder in process {processes.index} than in the main one; it must lie on a disk "
            f"that all machines share."
        )


def _as_it_is(
    model: VqaModel, samples: StageSamples, run: Run, problems: Problems, started: float, processes: Processes
) -> Trained:
    """Evaluate a model that trains nothing (zero- or few-shot); its checkpoint is empty."""
    learning: LearningSection = samples.stage.learning
    chosen = model.prepare(samples.chosen, problems)
    seen = look(model, chosen, learning, processes, undefined=None)
    values = {f"val_{name}": value for name, value in seen.measured.items()}
    row = {"stage": samples.stage.name, "step": 0, "epoch": 0, "val_loss": seen.loss, **values, "best": True}
    if processes.main:
        for which in ("best", "last"):
            write_weights(run.checkpoints / f"{which}.safetensors", model.state())
        run.write_history([row])
    seconds = round(time.perf_counter() - started, 3)
    device = next((parameter.device for parameter in model.module.parameters()), torch.device("cpu"))
    meter = Meter(model.parts, device, whole=model.module, precision=_precision(model), devices=processes.count)
    meter.evaluation(seconds)
    longer = getattr(chosen, "longer", None)
    return Trained(None, 0, seen.value, learning.select_by, [], meter.summary(), seconds, longer)
