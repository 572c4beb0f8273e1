"""``radvqa train``: from a recipe to a run folder with the weights that the selection split chose."""

import json
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radvqa import console, files
from radvqa.commands.doctor import examined, require_healthy
from radvqa.commands.prepare import Work, prepare
from radvqa.data.dataset import Problems
from radvqa.errors import RunError
from radvqa.recipe import Recipe, load_recipe
from radvqa.run import Run

if TYPE_CHECKING:
    from radvqa.models.family import VqaModel
    from radvqa.training.processes import Processes


def train(
    recipe: Path,
    overrides: Sequence[str] = (),
    *,
    out: Path | None = None,
    skip_bad: bool = False,
    doctor: bool = True,
    force_new: bool = False,
) -> Run:
    """Train the model of a recipe, choosing the best weights on its selection split; the test split is not read.

    A run that was interrupted goes on where it was; a finished one is returned as it is.

    Args:
        recipe: a YAML file, or the name of a recipe that ships with the project.
        overrides: ``key=value``, for instance ``training.seed=1`` or ``stages.1.lr=2e-5``.
        out: the run folder; ``runs/NAME`` by default, with ``-seedN`` when the seed is overridden.
        skip_bad: leave unusable rows and pictures out, and report them, instead of stopping at the first.
        doctor: examine the model first; an error that the recipe does not accept stops before any step.
        force_new: start over; what the folder holds is moved beside it.

    Returns:
        The finished run.

    Raises:
        RadvqaError: for a recipe, data or weights that cannot be used, a run folder that is in use, or one that was
            begun with another recipe.
    """
    parsed = load_recipe(Path(recipe), overrides)
    folder = Path(out) if out else Path("runs") / _default_name(parsed, overrides)
    from radvqa.training.guard import full_disk_is_told
    from radvqa.training.together import joined

    with (
        joined(parsed.training.device, parsed.training.threads) as processes,
        Run.held(folder) if processes.main else nullcontext(),
        full_disk_is_told(),
    ):
        if force_new and processes.main and (aside := Run.set_aside(folder)):
            console.say(f"what {folder} held is in {aside} now")
        return _train(parsed, folder, Problems(skip=skip_bad), processes, doctor=doctor)


def _train(recipe: Recipe, folder: Path, problems: Problems, processes: "Processes", *, doctor: bool) -> Run:
    started = time.perf_counter()
    work = prepare(recipe, problems)

    from radvqa import provenance
    from radvqa.models import checkpoint, zoo
    from radvqa.report.plan import apart_words
    from radvqa.training import loop

    if processes.main:
        origin = provenance.collect(seed=recipe.training.seed, device=str(work.device), splits=work.splits)
        Run.take_up(folder, work.resolved, origin)
    processes.wait()
    run = Run(folder)
    if processes.agree(run.finished):
        console.say(f"{folder} is finished already, with this recipe; nothing is left to do")
        if processes.main:
            _tidy(run)
        return run
    if processes.main:
        for entry in work.left_apart:
            console.say(apart_words(entry))
    model = work.build()
    examination: dict[str, Any] = {"skipped": True}
    if processes.main:
        _same_weights(run, model, recipe.model.family)
        examination = _examination(work, model, run) if doctor else examination
        checkpoint.write_spec(run.checkpoints, model, recipe.model.family)
    processes.wait()
    prepared_after = time.perf_counter() - started
    trained = loop.train(model, work.stages, recipe.training, run, problems, processes)
    if not processes.main:
        return run
    if processes.sharded:
        model = checkpoint.load_model(run.checkpoints, work.device)
    checkpoint.write_adapter(run.checkpoints, model)
    cost = trained.cost
    run.finish(
        {
            "seconds": round(time.perf_counter() - started, 3),
            "preparation_seconds": round(prepared_after, 3),
            "training_seconds": round(cost["wall_seconds"] + cost["evaluation_seconds"], 3),
            "epochs": trained.looks,
            "best_epoch": trained.epoch,
            "selected": {"metric": trained.metric, "value": trained.value},
            "stages": trained.stages,
            "cost": cost,
            "processes": processes.count,
            "parameters": zoo.count_parameters(model),
            "peak_memory_bytes": cost.get("peak_memory_bytes"),
            "left_out": problems.found,
            **({"left_apart": work.left_apart} if work.left_apart else {}),
            **({} if trained.longer is None else {"gold_answers_over_the_limit": trained.longer}),
            "doctor": examination,
        }
    )
    _tidy(run)
    return run


def _tidy(run: Run) -> None:
    """Do what is left to do once a run is finished; a kill may have come between."""
    from radvqa.report.card import write_card
    from radvqa.training.snapshot import Snapshots

    if not (run.folder / "README.md").is_file():
        write_card(run.folder)
    Snapshots(run.checkpoints / "resume").drop()


def _same_weights(run: Run, model: "VqaModel", family: str) -> None:
    """Refuse to go on with other pretrained weights than the run was begun with."""
    path = run.checkpoints / "model.json"
    spec = json.loads(json.dumps({"family": family, **model.spec()}))  # as a file gives it back
    if path.is_file() and files.read_json(path) != spec:
        raise RunError(
            f"{run.folder} was begun with other pretrained weights, or with another version of radvqa; point "
            f"RADVQA_WEIGHTS at the same ones, or start over with --force-new."
        )


def _examination(work: Work, model: "VqaModel", run: Run) -> dict[str, Any]:
    """Examine the model, unless that was done before an interruption; return the line for ``run.json``."""
    path = run.folder / "doctor.json"
    if path.is_file():
        report = files.read_json(path)
    else:
        report = examined(work, model)
        for finding in report["findings"]:
            if finding["level"] == "warning" or finding["accepted"]:
                accepted = "accepted by the recipe" if finding["accepted"] else "warning"
                console.say(f"doctor: {accepted}: [{finding['check']}] {finding['sentence']}")
        files.write_json(path, report)
    require_healthy(report)
    return {key: report[key] for key in ("seconds", "warnings", "accepted")}


def _default_name(recipe: Recipe, overrides: Sequence[str]) -> str:
    seeded = any(override.partition("=")[0] in ("seed", "training.seed") for override in overrides)
    return f"{recipe.name}-seed{recipe.training.seed}" if seeded else recipe.name
