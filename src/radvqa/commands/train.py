"""``radvqa train``: from a recipe to a run folder with the weights of the best epoch."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radvqa import console, files
from radvqa.commands.doctor import examined, require_healthy
from radvqa.commands.prepare import Work, prepare
from radvqa.data.dataset import Problems
from radvqa.recipe import Recipe, load_recipe
from radvqa.run import Run

if TYPE_CHECKING:
    from radvqa.models.family import Prepared, VqaModel


def train(
    recipe: Path,
    overrides: Sequence[str] = (),
    *,
    out: Path | None = None,
    skip_bad: bool = False,
    doctor: bool = True,
) -> Run:
    """Train the model of a recipe, choosing the best epoch on its selection split; the test split is not read.

    Args:
        recipe: a YAML file, or the name of a recipe that ships with the project.
        overrides: ``key=value``, for instance ``training.seed=1`` or ``epochs=5``.
        out: the run folder; ``runs/NAME`` by default, with ``-seedN`` when the seed is overridden.
        skip_bad: leave unusable rows and pictures out, and report them, instead of stopping at the first.
        doctor: examine the model first; an error that the recipe does not accept stops before any step.

    Returns:
        The finished run.

    Raises:
        RadvqaError: for a recipe, data or weights that cannot be used, or a run folder that is in use.
    """
    parsed = load_recipe(Path(recipe), overrides)
    folder = Path(out) if out else Path("runs") / _default_name(parsed, overrides)
    with Run.held(folder):
        return _train(parsed, folder, Problems(skip=skip_bad), doctor=doctor)


def _train(recipe: Recipe, folder: Path, problems: Problems, *, doctor: bool) -> Run:
    started = time.perf_counter()
    work = prepare(recipe, problems)

    from radvqa import device, provenance
    from radvqa.models import checkpoint, zoo
    from radvqa.report.card import write_card
    from radvqa.training import loop

    learned, chosen = work.learned, work.chosen
    origin = provenance.collect(
        seed=recipe.training.seed, device=str(work.device), splits={"train": learned, "select": chosen}
    )
    run = Run.create(folder, work.resolved, origin)
    model = work.build()
    examination = _examine(work, model, run) if doctor else {"skipped": True}
    learns = any(parameter.requires_grad for parameter in model.module.parameters())
    selecting = model.prepare(chosen, problems)
    training = model.prepare(learned, problems) if learns else selecting
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
            **_longer(training),
            "doctor": examination,
        }
    )
    write_card(folder)
    return run


def _longer(prepared: "Prepared") -> dict[str, int]:
    """How many gold answers are longer than what may be written, for models that write."""
    longer = getattr(prepared, "longer", None)
    return {} if longer is None else {"gold_answers_over_the_limit": longer}


def _examine(work: Work, model: "VqaModel", run: Run) -> dict[str, Any]:
    """Examine the model, say and keep what was found, and return the line for ``run.json``."""
    report = examined(work, model)
    files.write_json(run.folder / "doctor.json", report)
    for finding in report["findings"]:
        if finding["level"] == "warning" or finding["accepted"]:
            accepted = "accepted by the recipe" if finding["accepted"] else "warning"
            console.say(f"doctor: {accepted}: [{finding['check']}] {finding['sentence']}")
    require_healthy(report)
    return {key: report[key] for key in ("seconds", "warnings", "accepted")}


def _default_name(recipe: Recipe, overrides: Sequence[str]) -> str:
    seeded = any(override.partition("=")[0] in ("seed", "training.seed") for override in overrides)
    return f"{recipe.name}-seed{recipe.training.seed}" if seeded else recipe.name
