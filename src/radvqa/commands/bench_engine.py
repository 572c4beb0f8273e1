"""``radvqa bench engine``: a training by our engine and by a plain ``Trainer``, and proof that both learn the same.

Both ways begin from the same weights and see the same batches in the same order, with the same optimiser and learning
rate; no unit is dropped at random, so that the loss of every step and the weights at the end can be compared. What is
compared is what was timed.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.optimizer import register_optimizer_step_post_hook

from radvqa import console, device, files
from radvqa.commands.bench_families import grouped, peak_bytes, section_of
from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.models import plain_trainer, zoo
from radvqa.models.family import Context
from radvqa.recipe import ModelSection, Recipe, TrainingSection, load_recipe
from radvqa.recipe.curriculum import stages_of
from radvqa.run import Run
from radvqa.sample import Sample
from radvqa.training import loop, schedule
from radvqa.training.learnable import Learnable
from radvqa.training.optimizer import PartOptimizer
from radvqa.training.stage_samples import StageSamples

Way = Literal["ours", "trainer"]

LOSS_TOLERANCE = 1e-3
WEIGHT_TOLERANCE = 1e-2
_SEED = 0
_DATA = "phantom:mini"
_STEPS_FOR_MEMORY = 4  # that are enough for it to peak
_LEARNING = {
    "optimizer": "adamw",
    "learning_rate": 3e-4,
    "weight_decay": 0.01,
    "schedule": "cosine",
    "warmup_epochs": 0.5,
    "clip_norm": 1.0,
}
"""How the generators' recipes learn."""


@dataclass(frozen=True)
class Work:
    """What both ways do; sent to the processes whose memory is measured.

    Attributes:
        recipe: model and training.
        samples: of the epoch.
        device: where it is computed.
        folder: for what the ways write.
        batches: rows of every step, in order; empty until our way has drawn them.
    """

    recipe: Recipe
    samples: Sequence[Sample]
    device: torch.device
    folder: Path
    batches: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Done:
    """What a way did.

    Attributes:
        seconds: wall time to the end of the last step.
        prepared_after: of them, spent before the first step.
        waiting_seconds: of the rest, spent until data was there.
        losses: of every step.
        batches: rows of every step.
        learned: the weights that learn, at the end.
        begun: the same at the start.
        parameters: numbers of all and of the trained ones.
        tokens: of all steps that a decoder must read (image, prompt and answer), however often it does; no padding.
    """

    seconds: float
    prepared_after: float
    waiting_seconds: float
    losses: list[float]
    batches: tuple[tuple[int, ...], ...]
    learned: dict[str, Tensor]
    begun: dict[str, Tensor] = field(default_factory=dict)
    parameters: dict[str, int] = field(default_factory=dict)
    tokens: int = 0


def bench_engine(
    *,
    family: str = "linear_llm",
    size: str = "small",
    images: int = 18,
    questions_per_image: int = 11,
    batch: int | None = None,
    steps: int = 12,
    device_name: str = "auto",
    recipe: Path | None = None,
    overrides: Sequence[str] = (),
) -> dict[str, Any]:
    """Train both ways in one process, and measure the memory of each in a process of its own.

    Ours begins with cold caches: decoding, resizing and the features of a frozen tower count. So do the batches of the
    other way. Building the model counts for neither, and so does nothing that only one of them would do: trackers,
    evaluations (ours looks at one question at the end) and the examination before a training.

    Args:
        family: name of a family.
        size: of the random weights; ``base`` is the published architecture.
        images: pictures of an epoch.
        questions_per_image: about each.
        batch: questions a step; 32 by default, or as the recipe says.
        steps: of the training.
        device_name: ``auto``, ``cpu`` or ``cuda``.
        recipe: takes the model, with its real weights, and the way of learning from a recipe.
        overrides: of the recipe.

    Returns:
        ``speedup_ratio``, ``memory_ratio``, ``same``, and all figures behind them.

    Raises:
        RadvqaError: for a family that no plain way is written for or that has no random weights, or a recipe of another
            family.
        DataError: when there are fewer pictures than asked for.
    """
    plain_trainer.check(family)
    device.keep_freed_memory()
    samples = grouped(registry.load_split(_DATA, "train"), images, questions_per_image)
    with tempfile.TemporaryDirectory(prefix="radvqa-bench-") as place:
        scratch = Path(place)
        model = section_of(family, size, scratch / "weights", samples, recipe, overrides)
        work = Work(
            _recipe(model, recipe, overrides, batch, steps, device_name),
            samples,
            device.choose(device_name),
            scratch / "ways",
        )
        _warm_up(work)
        ours = _ours(work)
        console.say(f"ours: {ours.seconds:.1f} s; now the Trainer")
        work = replace(work, batches=ours.batches)
        other = _trainers(work)
        console.say(f"Trainer: {other.seconds:.1f} s; now measuring memory, each way in a process of its own")
        short = _first_steps(work, _STEPS_FOR_MEMORY)
        memory = {way: _memory(replace(short, folder=scratch / f"memory-{way}"), way) for way in _WAYS}
        return {
            "family": family,
            "weights": f"random, {size}" if recipe is None else f"recipe {recipe}",
            "size": size if recipe is None else "recipe",
            "images": images,
            "questions_per_image": questions_per_image,
            **_setting(work, ours),
            **_figures(ours, other),
            **_compared(ours, other),
            **{f"{way}_peak_memory_bytes": peak for way, peak in memory.items()},
            "memory_ratio": round(memory["trainer"] / memory["ours"], 2),
        }


def _recipe(
    model: ModelSection,
    recipe: Path | None,
    overrides: Sequence[str],
    batch: int | None,
    steps: int,
    device_name: str,
) -> Recipe:
    """Model and training, without what only one of the ways can do."""
    if recipe is None:
        learning: dict[str, Any] = {**_LEARNING, "batch_size": 32, "images_per_batch": 6, "seed": _SEED}
    else:
        learning = load_recipe(recipe, overrides).training.model_dump()
    asked = {} if batch is None else {"batch_size": batch}
    fixed = {
        "epochs": None,
        "tokens": None,
        "steps": steps,
        "average_decay": None,
        "compile": "off",
        "trackers": (),
        "select_by": "loss",
        "evaluate_every": steps,
        "patience": None,
        "checkpoint_seconds": 1e9,
        "device": device_name,
    }
    training = TrainingSection.model_validate({**learning, **asked, **fixed})
    data = {"name": _DATA, "select": "validate"}
    return Recipe.model_validate(
        {"name": "bench-engine", "title": "Timed.", "data": data, "model": model.model_dump(), "training": training}
    )


def _built(work: Work) -> Any:
    """The model; built twice it is the same."""
    model = zoo.build(work.recipe.model, Context(training=work.samples, seed=_SEED, device=work.device))
    plain_trainer.without_dropout(model.module)
    return model


def _first_steps(work: Work, steps: int) -> Work:
    """The same training, cut off."""
    steps = min(steps, work.recipe.training.steps or 1)
    training = work.recipe.training.model_copy(update={"steps": steps, "evaluate_every": steps})
    recipe = work.recipe.model_copy(update={"training": training})
    return replace(work, recipe=recipe, batches=work.batches[:steps])


def _warm_up(work: Work) -> None:
    """One step each way, so that neither pays for what a process does once."""
    one = replace(_first_steps(work, 1), folder=work.folder / "warm")
    _trainers(replace(one, batches=_ours(one).batches))


def _ours(work: Work) -> Done:
    """Prepare and train with our engine, from cold caches."""
    model = _built(work)
    begun = _learned(model)
    run = Run.create(work.folder / "run", work.recipe.resolved(), {})
    samples = StageSamples(stages_of(work.recipe)[0], (list(work.samples),), [work.samples[0]])
    with files.cold_cache(work.folder / "cache"), _watched(model, work) as seen:
        trained = loop.train(model, [samples], work.recipe.training, run, Problems())
    waiting = trained.cost["data_waiting_share"] * trained.cost["wall_seconds"]
    losses, batches = seen.steps()
    return Done(
        seen.seconds,
        seen.prepared_after,
        waiting,
        losses,
        batches,
        learned=_learned(model),
        begun=begun,
        parameters=zoo.count_parameters(model),
        tokens=run.history[-1]["tokens"],
    )


def _trainers(work: Work) -> Done:
    """Train with ``transformers.Trainer``."""
    model, learning = _built(work), work.recipe.training
    stage = stages_of(work.recipe)[0]
    way = plain_trainer.plain(work.recipe.model.family, model, learning.label_smoothing)
    optimizer = PartOptimizer(Learnable(model).by_part(), learning, "bench").inner
    steps, epoch_steps = len(work.batches), -(-len(work.samples) // learning.batch_size)
    trained = plain_trainer.train(
        way,
        work.samples,
        work.batches,
        optimizer,
        LambdaLR(optimizer, lambda step: schedule.rate(step, steps, epoch_steps, stage)),
        device=work.device,
        half=model.computed_in == torch.bfloat16,
        clip_norm=learning.clip_norm,
        folder=work.folder / "trainer",
    )
    return Done(trained.seconds, 0.0, trained.waiting_seconds, trained.losses, work.batches, _learned(model))


_WAYS: dict[Way, Callable[[Work], Done]] = {"ours": _ours, "trainer": _trainers}


class _Seen:
    """Loss and rows of every step that a model is trained by, and when; no device waits for it before the last step."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._parts: list[tuple[Tensor, Tensor]] = []
        self._steps: list[list[tuple[Tensor, Tensor]]] = []
        self._started = time.perf_counter()
        self.prepared_after = self.seconds = 0.0

    def part(self, rows: Tensor, loss: Tensor) -> None:
        """Take in a micro-batch."""
        self._parts.append((rows, loss))

    def before_a_part(self) -> None:
        """Take in that a micro-batch begins."""
        if not self._steps and not self._parts:
            self.prepared_after = time.perf_counter() - self._started

    def stepped(self, *_: Any) -> None:
        """Take in an optimiser's step."""
        self._steps.append(self._parts)
        self._parts = []
        if len(self._steps) == self._work.recipe.training.steps:
            if self._work.device.type == "cuda":
                torch.cuda.synchronize(self._work.device)
            self.seconds = time.perf_counter() - self._started

    def steps(self) -> tuple[list[float], tuple[tuple[int, ...], ...]]:
        """The loss of every step, a mean over its questions, and its rows."""
        counts = [sum(len(rows) for rows, _ in parts) for parts in self._steps]
        losses = [
            sum(loss.item() * len(rows) for rows, loss in parts) / count
            for parts, count in zip(self._steps, counts, strict=True)
        ]
        return losses, tuple(tuple(row for rows, _ in parts for row in rows.tolist()) for parts in self._steps)


@contextmanager
def _watched(model: Any, work: Work) -> Iterator[_Seen]:
    """Watch a model be trained."""
    seen, loss_of = _Seen(work), model.loss

    def loss(prepared: Any, rows: Tensor, **values: Any) -> Any:
        learns = torch.is_grad_enabled()
        if learns:
            seen.before_a_part()
        found = loss_of(prepared, rows, **values)
        if learns:
            seen.part(rows, found.loss.detach() / found.members)
        return found

    model.loss = loss
    hook = register_optimizer_step_post_hook(seen.stepped)
    try:
        yield seen
    finally:
        hook.remove()
        del model.loss


def _learned(model: Any) -> dict[str, Tensor]:
    return {name: p.detach().cpu().clone() for name, p in model.module.named_parameters() if p.requires_grad}


def _setting(work: Work, ours: Done) -> dict[str, Any]:
    training = work.recipe.training
    return {
        "parameters": ours.parameters["total"],
        "trained_parameters": ours.parameters["trainable"],
        "device": torch.cuda.get_device_name(work.device) if work.device.type == "cuda" else "CPU",
        "threads": torch.get_num_threads(),
        "batch": training.batch_size,
        "images_per_batch": training.images_per_batch,
        "steps": len(ours.batches),
        "samples": sum(map(len, ours.batches)),
    }


def _figures(ours: Done, other: Done) -> dict[str, Any]:
    """Rates, shares and the ratio."""
    samples = sum(map(len, ours.batches))
    found: dict[str, Any] = {
        "speedup_ratio": round(other.seconds / ours.seconds, 2),
        "speedup_ratio_when_prepared": round(other.seconds / (ours.seconds - ours.prepared_after), 2),
        "ours_preparation_seconds": round(ours.prepared_after, 3),
    }
    for name, done in (("ours", ours), ("trainer", other)):
        found |= {
            f"{name}_seconds": round(done.seconds, 3),
            f"{name}_samples_per_second": round(samples / done.seconds, 2),
            f"{name}_tokens_per_second": round(ours.tokens / done.seconds, 1),
            f"{name}_data_waiting_share": round(done.waiting_seconds / (done.seconds - done.prepared_after), 4),
        }
    return found


def _compared(ours: Done, other: Done) -> dict[str, Any]:
    """The largest difference of a step's loss, and of the trained weights as a share of what was learned."""
    losses = max(abs(one - another) for one, another in zip(ours.losses, other.losses, strict=True))
    apart = sum((other.learned[name] - weight).square().sum().item() for name, weight in ours.learned.items())
    moved = sum((weight - ours.begun[name]).square().sum().item() for name, weight in ours.learned.items())
    weights = (apart / max(moved, 1e-30)) ** 0.5
    return {
        "same": losses <= LOSS_TOLERANCE and weights <= WEIGHT_TOLERANCE,
        "first_loss": ours.losses[0],
        "last_loss": ours.losses[-1],
        "loss_difference": losses,
        "loss_tolerance": LOSS_TOLERANCE,
        "weight_difference": weights,
        "weight_tolerance": WEIGHT_TOLERANCE,
    }


def _memory(work: Work, way: Way) -> int:
    """Largest memory of one way: of the GPU, or of a fresh process that does nothing else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_in_child, work, way).result()


def _in_child(work: Work, way: Way) -> int:
    device.keep_freed_memory()
    _WAYS[way](work)
    return int(torch.cuda.max_memory_allocated()) if work.device.type == "cuda" else peak_bytes()
