"""``radvqa train RECIPE --dry-run``: what a recipe will do and about what it costs here, without training.

Samples are loaded and the model is built. A few steps of every stage are carried out on the batches that the stage will
begin with, to measure time and memory; the model is thrown away afterwards.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radvqa import files
from radvqa.commands.plan_trial import Tried, place_of, rows_of, steps_of, try_stage
from radvqa.commands.prepare import Work, prepare
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, WeightsError
from radvqa.recipe import load_recipe
from radvqa.recipe.curriculum import Stage
from radvqa.recipe.learning import LENGTHS
from radvqa.sample import Sample
from radvqa.training.stage_samples import StageSamples

if TYPE_CHECKING:
    from radvqa.models.family import VqaModel
    from radvqa.training.learnable import Learnable


def plan(
    recipe: Path, overrides: Sequence[str] = (), *, skip_bad: bool = False, measure: bool = True
) -> dict[str, Any]:
    """Say what a training will do; nothing is written but fingerprints of weights in the cache.

    Args:
        recipe: a YAML file, or the name of a recipe that ships with the project.
        overrides: ``key=value``.
        skip_bad: leave unusable rows and pictures out instead of stopping at the first.
        measure: carry out a few steps of every stage, to estimate time and memory.

    Returns:
        Plain values: ``recipe``, ``title``, ``family``, ``device``, ``stages`` (each with ``sources``, ``steps``,
        ``questions``, ``tokens``, ``learned``, ``seconds`` …), ``totals``, ``left_apart`` (samples whose pictures other
        data sets hold), ``left_out``, and ``unknown``: sentences that say what could not be found out, and why.
        Seconds, bytes and tokens are estimates, None where unknown.

    Raises:
        RadvqaError: for a recipe or data that cannot be used.
    """
    problems = Problems(skip=skip_bad)
    work = prepare(load_recipe(Path(recipe), overrides), problems)
    unknown: list[str] = []
    model = _built(work, unknown)
    with _spending_nothing_but_the_model():
        stages = [_stage(work, one, model, unknown, measure=measure) for one in work.stages]
    if not any(stage["steps"] for stage in stages):
        unknown.append("The model learns nothing; it is asked as it is.")
    return {
        "recipe": work.recipe.name,
        "title": work.recipe.title,
        "family": work.recipe.model.family,
        "device": str(work.device),
        "stages": stages,
        "totals": _totals(work, stages),
        "left_apart": work.left_apart,
        "left_out": problems.found,
        "unknown": list(dict.fromkeys(unknown)),
    }


@contextmanager
def _spending_nothing_but_the_model() -> Iterator[None]:
    """Leave random states and caches as they were.

    Features of frozen encoders depend in their last bits on which pictures are computed together: those that a
    training will use are not computed here.
    """
    import torch

    with tempfile.TemporaryDirectory() as folder, files.cold_cache(Path(folder)), torch.random.fork_rng():
        yield


def _built(work: Work, unknown: list[str]) -> "VqaModel | None":
    try:
        return work.build()
    except WeightsError as error:
        unknown.append(f"Time, memory and tokens are unknown, because weights are not on this machine: {error}")
        return None


def _stage(
    work: Work, one: StageSamples, model: "VqaModel | None", unknown: list[str], *, measure: bool
) -> dict[str, Any]:
    """Describe a stage, with what its first steps told."""
    from radvqa.training.learnable import Learnable

    learnable = Learnable(model) if model else None
    if model is None or learnable is None or not learnable.parameters:
        described = _described(work, one, model, None)
        asked_as_it_is = described["learned"] is not None and not described["learned"]["trainable"]
        return described | ({"steps": 0, "questions": 0, "tokens": 0, "looks": 1} if asked_as_it_is else {})
    learnable.only(one.stage.modes, place_of(one.stage))
    tried = _tried(work, one, model, learnable, unknown) if measure else None
    described = _described(work, one, model, tried)
    learnable.restore()
    return described


def _tried(
    work: Work, one: StageSamples, model: "VqaModel", learnable: "Learnable", unknown: list[str]
) -> Tried | None:
    try:
        return try_stage(one, model, learnable, work.recipe.training.seed, Problems(skip=work.problems.skip))
    except DataError as error:
        unknown.append(f"Time and memory of stage {one.stage.name} are unknown: {error}")
        return None


def _described(work: Work, one: StageSamples, model: "VqaModel | None", tried: Tried | None) -> dict[str, Any]:
    """Plain values of one stage; of a model that is built, that learns which this stage lets learn."""
    from radvqa.training.length import epoch_steps

    stage, learning = one.stage, one.stage.learning
    per_question = tried.tokens_per_question if tried else None
    steps = steps_of(stage, rows_of(one), per_question)
    every = learning.evaluate_every or epoch_steps(rows_of(one), learning)
    looks = None if steps is None else -(-steps // min(steps, every))
    questions = None if steps is None else _questions(one, steps)
    return {
        "name": stage.name,
        "sources": _sources(one),
        "temperature": stage.temperature,
        "annealed": None if stage.anneal is None else stage.anneal.model_dump(mode="json"),
        "length": next(f"{getattr(learning, key):,} {key}" for key in LENGTHS if getattr(learning, key) is not None),
        "steps": steps,
        "batch_size": learning.batch_size,
        "micro_batch_size": learning.micro_batch_size,
        "questions": questions,
        "tokens": None if questions is None or per_question is None else round(questions * per_question),
        "optimizer": learning.optimizer,
        "learning_rate": learning.learning_rate,
        "learning_rates": dict(learning.learning_rates),
        "schedule": learning.schedule,
        "modes": {**work.modes, **stage.modes},
        "learned": _learned(work, stage, model),
        "chosen_by": learning.select_by,
        "chosen_where": _plain(learning.select_where),
        "chosen_on": {"data": _named(one.chosen), "samples": len(one.chosen)},
        "looks": looks,
        "patience": learning.patience,
        "carry": None if stage.number == 1 else stage.carry.model_dump(mode="json"),
        "seconds": _seconds(work, one, tried, steps, looks),
        "peak_memory_bytes": _peak(work) if tried else None,
    }


def _sources(one: StageSamples) -> list[dict[str, Any]]:
    begin, end = _shares(one)
    return [
        {
            "name": source.called,
            "data": _named(some),
            "where": _plain(source.where),
            "samples": len(some),
            "pictures": len({sample.image for sample in some}),
            "repeat": source.repeat,
            "share_begin": round(begin[source.called], 6),
            "share_end": round(end[source.called], 6),
            "tasks": dict(Counter(sample.task for sample in some)),
            "prompts": list(source.prompt),
        }
        for source, some in zip(one.stage.sources, one.sources, strict=True)
    ]


def _shares(one: StageSamples) -> tuple[dict[str, float], dict[str, float]]:
    """Shares of the sources at the beginning and at the end, by the engine's own count."""
    from radvqa.training import mix

    sizes = {s.called: len(some) * s.repeat for s, some in zip(one.stage.sources, one.sources, strict=True)}
    # a stage that is not mixed has neither weights nor a temperature: its shares are its sizes
    return mix.shares_at_the_beginning(one.stage, sizes), mix.shares_at_the_end(one.stage, sizes)


def _questions(one: StageSamples, steps: int) -> int:
    """Questions of so many steps; where every row comes once an epoch, its last batch may be smaller."""
    from radvqa.training.length import epoch_steps

    learning, rows = one.stage.learning, rows_of(one)
    if one.stage.is_mixed:
        return steps * learning.batch_size
    epochs, rest = divmod(steps, epoch_steps(rows, learning))
    return epochs * rows + rest * learning.batch_size


def _learned(work: Work, stage: Stage, model: "VqaModel | None") -> dict[str, Any] | None:
    """Parameters in all and trained in this stage, and by part; None where they follow from what is not here."""
    from radvqa.costs.parameters import parameters_by_part
    from radvqa.models import parts, zoo
    from radvqa.models.family import Sized

    if model is not None:
        return parameters_by_part(model.parts, whole=model.module)
    family, options = zoo.validate(work.model)
    # trained ones are counted on an architecture in which the rest is frozen
    _, own = zoo.validate(zoo.with_modes(work.recipe.model, stage.modes))
    if not isinstance(family, Sized):
        return None
    try:
        total = parts.count_parameters(family.skeleton(options))["total"]
        trained = parts.count_parameters(family.skeleton(own))["trainable"]
    except WeightsError:  # an architecture that nothing is known of; the plan says already that it is not here
        return None
    return {"total": total, "trainable": trained, "by_part": {}}


def _seconds(
    work: Work, one: StageSamples, tried: Tried | None, steps: int | None, looks: int | None
) -> dict[str, float] | None:
    if tried is None or steps is None or looks is None:
        return None
    before = [_pictures(other) for other in work.stages[: one.stage.number - 1]]  # prepared once for all stages
    found = {
        "preparing": tried.seconds_per_picture * len(_pictures(one).difference(*before)),
        "learning": tried.seconds_per_step * steps,
        "looking": tried.seconds_per_question * len(one.chosen) * looks,
    }
    return {name: round(value, 3) for name, value in {**found, "all": sum(found.values())}.items()}


def _pictures(one: StageSamples) -> set[tuple[str, str]]:
    return {(sample.dataset, sample.image) for some in (*one.sources, one.chosen) for sample in some}


def _totals(work: Work, stages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    seconds = [stage["seconds"] for stage in stages]
    peaks = [stage["peak_memory_bytes"] for stage in stages]
    learned = stages[-1]["learned"]
    return {
        "samples": len({(sample.dataset, sample.id) for sample in work.learned}),
        **{key: _sum([stage[key] for stage in stages]) for key in ("steps", "questions", "tokens")},
        "parameters": learned and learned["total"],
        "seconds": _sum([one and one["all"] for one in seconds]),
        "peak_memory_bytes": None if None in peaks else max(peaks),
    }


def _sum(values: Sequence[Any]) -> Any:
    return None if None in values else sum(values)


def _named(samples: Sequence[Sample]) -> str:
    """Full names of data sets, with their splits."""
    return ", ".join(dict.fromkeys(f"{sample.dataset} {sample.split}" for sample in samples))


def _plain(where: Mapping[str, Any]) -> dict[str, Any]:
    return {field: list(value) if isinstance(value, tuple) else value for field, value in where.items()}


def _peak(work: Work) -> int:
    from radvqa import device

    on_gpu = device.peak_gpu_memory_bytes(work.device)
    return device.peak_memory_bytes() if on_gpu is None else on_gpu
