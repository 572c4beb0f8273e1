"""``radvqa train``: from a recipe to a run folder with the weights of the best epoch."""

import random
import time
from collections.abc import Sequence
from pathlib import Path

from radvqa.data.dataset import Problems
from radvqa.recipe import DataSection, Recipe, load_recipe
from radvqa.run import Run
from radvqa.sample import Sample


def train(recipe: Path, overrides: Sequence[str] = (), *, out: Path | None = None, skip_bad: bool = False) -> Run:
    """Train the model of a recipe, choosing the best epoch on its selection split; the test split is not read.

    Args:
        recipe: a YAML file, or the name of a recipe that ships with the project.
        overrides: ``key=value``, for instance ``training.seed=1`` or ``epochs=5``.
        out: the run folder; ``runs/NAME`` by default, with ``-seedN`` when the seed is overridden.
        skip_bad: leave unusable rows and pictures out, and report them, instead of stopping at the first.

    Returns:
        The finished run.

    Raises:
        RadvqaError: for a recipe, data or weights that cannot be used, or a run folder that is in use.
    """
    parsed = load_recipe(Path(recipe), overrides)
    folder = Path(out) if out else Path("runs") / _default_name(parsed, overrides)
    with Run.held(folder):
        return _train(parsed, folder, Problems(skip=skip_bad))


def selection_samples(
    data: DataSection, train: Sequence[Sample], others: Sequence[Sample]
) -> tuple[list[Sample], list[Sample]]:
    """Return the samples to learn from and those to choose on.

    With ``select_fraction`` a fixed pseudo-random part of the training *images* is held out, with all their
    questions; it depends on the image names only, so that every seed chooses on the same questions.
    """
    if not data.select_fraction:
        return list(train), list(others)
    images = sorted({sample.image for sample in train})
    random.Random(0).shuffle(images)
    held_out = set(images[: max(1, round(len(images) * data.select_fraction))])
    return [s for s in train if s.image not in held_out], [s for s in train if s.image in held_out]


def _train(recipe: Recipe, folder: Path, problems: Problems) -> Run:
    from radvqa.models import zoo
    from radvqa.training.selection import check_metric

    # everything that can be wrong with the recipe is found before any data is read
    model_section = zoo.resolved(recipe.model)
    check_metric(recipe.training.select_by)

    import torch

    from radvqa import device, provenance
    from radvqa.commands.own_data import named
    from radvqa.data import registry
    from radvqa.models import checkpoint
    from radvqa.models.family import Context
    from radvqa.report.card import write_card
    from radvqa.training import loop

    started = time.perf_counter()
    target = device.choose(recipe.training.device)
    device.keep_freed_memory()
    if recipe.training.threads:
        torch.set_num_threads(recipe.training.threads)
    place, known_as = recipe.data.place, named(recipe.data)
    learned, chosen = selection_samples(
        recipe.data,
        registry.load_split(place, recipe.data.train, problems),
        [] if recipe.data.select_fraction else registry.load_split(place, recipe.data.select, problems),
    )
    resolved = recipe.resolved()
    resolved["data"].update(known_as)
    resolved["model"] = model_section
    origin = provenance.collect(
        seed=recipe.training.seed, device=str(target), splits={"train": learned, "select": chosen}
    )
    run = Run.create(folder, resolved, origin)
    context = Context(
        training=learned,
        regions=lambda sample: registry.regions(place, sample.image),
        seed=recipe.training.seed,
        device=target,
        problems=problems,
    )
    model = zoo.build(recipe.model, context)
    training, selecting = model.prepare(learned, problems), model.prepare(chosen, problems)
    checkpoint.write_spec(run.checkpoints, model, recipe.model.family)
    prepared_after = time.perf_counter() - started
    best = loop.train(model, training, selecting, recipe.training, run)
    checkpoint.write_adapter(run.checkpoints, model)
    run.finish(
        {
            "seconds": round(time.perf_counter() - started, 3),
            "preparation_seconds": round(prepared_after, 3),
            "training_seconds": best.seconds,
            "epochs": recipe.training.epochs if best.epoch is not None else 0,
            "best_epoch": best.epoch,
            "selected": {"metric": recipe.training.select_by, "value": best.value},
            "parameters": zoo.count_parameters(model),
            "peak_memory_bytes": device.peak_memory_bytes(),
            "left_out": problems.found,
        }
    )
    write_card(folder)
    return run


def _default_name(recipe: Recipe, overrides: Sequence[str]) -> str:
    seeded = any(override.partition("=")[0] in ("seed", "training.seed") for override in overrides)
    return f"{recipe.name}-seed{recipe.training.seed}" if seeded else recipe.name
