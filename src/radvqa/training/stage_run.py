"""One stage: steps, looks at the selection split, and its best weights."""

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from radvqa import waiting
from radvqa.costs.meter import Meter
from radvqa.models.checkpoint import write_weights
from radvqa.models.family import ComputesIn, StepLoss, VqaModel
from radvqa.recipe.curriculum import Stage
from radvqa.recipe.learning import TrainingSection
from radvqa.run import Run
from radvqa.tracking.tracking import Tracking
from radvqa.training import mix, schedule, selection
from radvqa.training.average import WeightAverage
from radvqa.training.compiled import CompileTrial
from radvqa.training.data import StageData
from radvqa.training.guard import Guard
from radvqa.training.learnable import Learnable
from radvqa.training.length import steps_of
from radvqa.training.looking import look
from radvqa.training.micro_batches import MicroBatches
from radvqa.training.optimizer import PartOptimizer
from radvqa.training.position import Done, History, Position, Sums
from radvqa.training.processes import Processes, Share
from radvqa.training.randomness import Randomness
from radvqa.training.state import Stateful
from radvqa.training.stopping import Stopping
from radvqa.training.wrapped import Plain, Weights


@dataclass
class Shared:
    """What outlives a stage.

    Attributes:
        model: learns.
        learnable: lets its parts learn.
        section: what holds for the whole run.
        run: where everything goes.
        processes: that train together.
        meter: adds up the cost.
        tracking: takes the log; None in processes that write nothing.
        position: of the run.
        history: rows of all looks.
        done: stages that ended.
        micro_batches: questions computed at once.
    """

    model: VqaModel
    learnable: Learnable
    section: TrainingSection
    run: Run
    processes: Processes
    meter: Meter
    tracking: Tracking | None
    position: Position
    history: History
    done: Done
    micro_batches: MicroBatches

    @property
    def weights(self) -> Weights:
        """All that any stage learns."""
        return Weights(self.model, self.learnable, self.processes)


class StageRun:
    """A stage that is carried out.

    Args:
        shared: what outlives it.
        stage: as the recipe says.
        data: prepared.
        best: file of its best weights.

    Raises:
        RecipeError: for a part that there is not, and when nothing is learned.
    """

    def __init__(self, shared: Shared, stage: Stage, data: StageData, best: Path) -> None:
        self.shared, self.stage, self.data, self.best = shared, stage, data, best
        learning, place = stage.learning, f"stages.{stage.number} ({stage.name})"
        shared.learnable.only(stage.modes, place)
        self.device = data.learned.image_rows.device
        self.steps = steps_of(learning, data.epoch_rows, data.tokens_per_row)
        self.sampler = mix.sampler_of(stage, data.sources, data.learned.image_rows, self.steps, shared.section.seed)
        self.every = min(self.steps, learning.evaluate_every or self.sampler.epoch_steps)
        self._learned = shared.learnable.by_part()
        self.optimizer = PartOptimizer(self._learned, learning, place)
        self.average = WeightAverage(shared.model.module, learning.average_decay) if learning.average_decay else None
        scaled = isinstance(shared.model, ComputesIn) and shared.model.computed_in == torch.float16
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaled)
        self.sums = Sums(self.device)
        self.stopping = Stopping(learning.select_by == selection.LOSS, learning.patience, learning.min_improvement)
        self.guard = Guard(data.learned, self.device)
        mode = _compile_mode(shared.section, self.device, shared.processes)
        self.compiling = CompileTrial(shared.model.module, mode)
        self._pictures = data.learned.image_rows.cpu()
        self._through = shared.processes.through(shared.model)

    @property
    def parts(self) -> dict[str, Stateful]:
        """Everything that decides how the training goes on, by name."""
        shared = self.shared
        parts: dict[str, Stateful] = {
            "position": shared.position,
            "model": shared.weights,
            "optimizer": self.optimizer,
            "scaler": Plain(self.scaler.state_dict, self.scaler.load_state_dict),
            "random": shared.processes.each(Randomness()),
            "sampler": self.sampler,
            "sums": shared.processes.each(self.sums),
            "stopping": self.stopping,
            "history": shared.history,
            "done": shared.done,
            "micro_batches": shared.micro_batches,
            "compile": Plain(self.compiling.state, self.compiling.load),
            "meter": Plain(shared.meter.state, shared.meter.load),
        }
        return parts | ({"average": self.average} if self.average else {})

    @property
    def over(self) -> bool:
        """Whether it is at its end."""
        return self.shared.position.stage_step >= self.steps or self.stopping.enough

    @property
    def at_a_look(self) -> bool:
        """Whether the selection split is to be looked at now."""
        step = self.shared.position.stage_step
        return step % self.every == 0 or step == self.steps

    def step(self) -> None:
        """Learn from one batch.

        Raises:
            RadvqaError: when the loss is no number.
        """
        shared, at = self.shared, self.shared.position
        started = time.perf_counter()
        with waiting.counted() as waited:
            with waiting.for_data():
                rows = self.sampler.next(at.stage_step)
                share = shared.processes.share(rows, self._pictures)
                own = share.rows.to(self.device)
            self.optimizer.set_rate(schedule.rate(at.stage_step, self.steps, self.sampler.epoch_steps, self.stage))
            taught = self._gradients(own, share)
            self._update()
        loss = taught.loss / taught.members
        right = taught.correct if share.counted else torch.zeros_like(taught.correct)
        self.sums.add(loss * share.counted, right, len(rows))
        tokens = None if self.data.tokens is None else int(self.data.tokens[rows].sum())
        at.stage_step, at.step, at.samples = at.stage_step + 1, at.step + 1, at.samples + len(rows)
        at.tokens = at.tokens if tokens is None else (at.tokens or 0) + tokens
        self.guard.step(at.step, own, loss)
        if at.step % shared.section.log_every == 0:
            self._log(loss * (share.counted / len(rows)))
        shared.meter.step(len(rows), tokens, time.perf_counter() - started, waited[0])

    def _gradients(self, rows: torch.Tensor, share: Share) -> StepLoss:
        """Fill the gradients of this process's part of a batch; the first step of a stage counts its operations."""
        shared = self.shared
        self.optimizer.inner.zero_grad(set_to_none=True)
        first = shared.position.stage_step == 0
        with shared.meter.counting(self.stage.name) if first else nullcontext():
            taught = self.compiling.run(
                lambda: shared.micro_batches.backward(
                    self._through,
                    self.data.learned,
                    rows,
                    label_smoothing=self.stage.learning.label_smoothing,
                    scale=lambda loss: self.scaler.scale(loss * share.factor),
                    largest=share.largest,
                )
            )
        if first:
            shared.meter.counted(len(rows))
        return taught

    def _update(self) -> None:
        """Clip the gradients and change the weights."""
        if (largest := self.stage.learning.clip_norm) is not None:
            self.scaler.unscale_(self.optimizer.inner)
            nn.utils.clip_grad_norm_(self.optimizer.parameters, largest)
        self.scaler.step(self.optimizer.inner)
        self.scaler.update()
        if self.average:
            self.average.update()

    def look(self) -> None:
        """Look at the selection split, keep the weights when they are the best, and add a row to the history."""
        shared, at = self.shared, self.shared.position
        self.guard.look(list(shared.weights.tensors().values()))  # before they are kept as the best or the last ones
        started = time.perf_counter()
        loss_sum, correct, samples = self.sums.take()
        with self.average.in_place() if self.average else nullcontext(), shared.processes.whole(shared.model):
            seen = look(shared.model, self.data.chosen, self.stage.learning, shared.processes)
            self.guard.value(seen.value, at.step)
            best = self.stopping.better(seen.value, at.step)
            if best and shared.processes.main:
                write_weights(self.best, shared.weights.tensors())
        row: dict[str, Any] = {
            "stage": self.stage.name,
            "step": at.step,
            "epoch": self.stopping.looks,
            "samples": at.samples,
            "tokens": at.tokens,
            "learning_rate": max(self.optimizer.rates().values()),
            "train_loss": shared.processes.sum(loss_sum).item() / samples,
            "train_accuracy": shared.processes.sum(correct).item() / samples,
            "val_loss": seen.loss if math.isfinite(seen.loss) else None,
            **{f"val_{name}": value for name, value in seen.measured.items()},
            "selected": seen.value,
            "best": best,
        }
        shared.history.add(row)
        if shared.processes.main:
            shared.run.write_history(shared.history.rows)
        if shared.tracking is not None:
            told = {name: row[name] for name in row if isinstance(row[name], float)}
            shared.tracking.log(at.step, {"stage": self.stage.name, **told})
        shared.meter.evaluation(time.perf_counter() - started)
        shared.learnable.train()

    def ended(self) -> dict[str, Any]:
        """What it came to, for ``run.json``."""
        at, learning = self.shared.position, self.stage.learning
        return {
            "name": self.stage.name,
            "steps": at.stage_step,
            "of": self.steps,
            "stopped_early": at.stage_step < self.steps,
            "trained": {part: sum(p.numel() for _, p in named) for part, named in self._learned.items()},
            "looks": self.stopping.looks,
            "best_look": self.stopping.look,
            "best_step": self.stopping.step,
            "selected": {"metric": learning.select_by, "value": self.stopping.value},
            "shares": {
                "begin": dict(self.sampler.shares(0)),
                "end": dict(self.sampler.shares(self.steps - 1)),
            },
            "compile": self.compiling.decision,
        }

    def _log(self, loss: torch.Tensor) -> None:
        shared, at = self.shared, self.shared.position
        value = shared.processes.sum(loss.detach()).item()
        if shared.tracking is None:
            return
        shares = self.sampler.shares(at.stage_step - 1)
        shared.tracking.log(
            at.step,
            {
                "stage": self.stage.name,
                "loss": value,
                "samples": at.samples,
                **{f"learning_rate/{part}": rate for part, rate in self.optimizer.rates().items()},
                **({f"share/{name}": share for name, share in shares.items()} if len(shares) > 1 else {}),
            },
        )


def _compile_mode(section: TrainingSection, device: torch.device, processes: Processes) -> Any:
    mode = section.compile
    if mode == "auto":
        mode = "off" if device.type == "cpu" else "measure"
    # each of several processes would decide by its own clock, and what one does over the others would wait for
    return "off" if mode == "measure" and processes.count > 1 else mode
