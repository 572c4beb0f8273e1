"""Recipes, families, training and what goes before it."""

from pathlib import Path
from typing import Annotated

import typer

from radvqa.cli.shared import AsJson, Overrides, Processes, RunFolder, SkipBad, adapt_app, app, emit, launch_if_asked


@app.command()
def quickstart(
    overrides: Overrides = None,
    data: Annotated[str, typer.Option(help="phantom (made here), or slake (needs RADVQA_DATA).")] = "phantom",
    out: Annotated[Path | None, typer.Option(help="Run folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make data, train a CNN-LSTM, score it honestly and write a report, in a few minutes."""
    from radvqa.commands import compare
    from radvqa.commands.quickstart import next_steps, quickstart

    run, scores = quickstart(data, overrides or (), out=out)

    def show() -> None:
        compare.show([run.folder], brief=True)
        print("\nNext:")
        for line in next_steps(run):
            print(f"  {line}")

    emit({"run": str(run.folder), "report": str(run.folder / "report.html"), "scores": scores}, as_json, show)


@app.command()
def doctor(
    recipe: Annotated[Path, typer.Argument(help="A YAML file, or the name of a shipped recipe.")],
    overrides: Overrides = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Examine a recipe's model in seconds: labels, gradients, frozen parts, batches, pictures; train runs it first."""
    from radvqa.commands.doctor import doctor, require_healthy
    from radvqa.report.doctor import show_examination

    report = doctor(recipe, overrides or (), skip_bad=skip_bad)
    emit(report, as_json, lambda: show_examination(report))
    require_healthy(report)


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="A YAML file, or the name of a shipped recipe.")],
    overrides: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; runs/NAME by default.")] = None,
    skip_bad: SkipBad = False,
    no_doctor: Annotated[bool, typer.Option("--no-doctor", help="Do not examine the model first.")] = False,
    force_new: Annotated[bool, typer.Option("--force-new", help="Start over; the old run is moved aside.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan only: stages, steps, memory, time.")
    ] = False,
    processes: Processes = None,
    as_json: AsJson = False,
) -> None:
    """Train a recipe, or go on where it was interrupted; the test split is not read.

    The best weights of each stage are chosen on the selection split.
    """
    if dry_run:
        from radvqa.commands.plan import plan
        from radvqa.report.plan import show_plan

        planned = plan(recipe, overrides or (), skip_bad=skip_bad)
        emit(planned, as_json, lambda: show_plan(planned))
        return
    launch_if_asked(processes)
    from radvqa.commands.train import train
    from radvqa.report.data import show_left_out
    from radvqa.report.trained import show_trained

    run = train(recipe, overrides or (), out=out, skip_bad=skip_bad, doctor=not no_doctor, force_new=force_new)
    facts = run.facts

    def show() -> None:
        show_trained(run)
        show_left_out(facts["left_out"])
        print(f"Next: radvqa predict {run.folder} && radvqa score {run.folder}")

    emit({"run": str(run.folder), **facts}, as_json, show)


@app.command()
def sweep(
    recipe: Annotated[Path, typer.Argument(help="A YAML file, or the name of a shipped recipe.")],
    arguments: Annotated[
        list[str], typer.Argument(metavar="KEY=A,B,C", help="Values to try, e.g. lora.r=8,16 seed=0,1; or KEY=VALUE.")
    ],
    out: Annotated[Path | None, typer.Option(help="Folder of the sweep; sweeps/NAME by default.")] = None,
    address: Annotated[str | None, typer.Option(help="A Ray cluster that is up; by default one of its own.")] = None,
    at_once: Annotated[int | None, typer.Option(min=1, help="Runs at the same time, at most.")] = None,
    cpus_per_run: Annotated[int | None, typer.Option(min=1, help="Cores of a run; by default all, shared.")] = None,
    gpus_per_run: Annotated[float | None, typer.Option(min=0, help="GPUs of a run, e.g. 0.5; one by default.")] = None,
    test: Annotated[str, typer.Option(help="Who answers the test split: chosen, all or none.")] = "chosen",
    retries: Annotated[int, typer.Option(min=0, help="New beginnings of a run whose process or machine died.")] = 2,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Train a grid of values, choose on the selection split, then ask the test split; goes on where it was stopped."""
    from radvqa.commands.sweep import require_all, sweep
    from radvqa.report.sweep import show_sweep

    found = sweep(
        recipe,
        arguments,
        out=out,
        address=address,
        at_once=at_once,
        cpus_per_run=cpus_per_run,
        gpus_per_run=gpus_per_run,
        test=test,
        retries=retries,
        skip_bad=skip_bad,
    )

    def show() -> None:
        show_sweep(found)
        print(f"Report: {found['report']}")

    emit(found, as_json, show)
    require_all(found)


@app.command()
def models(
    family: Annotated[str | None, typer.Argument(help="One family, with its options; all by default.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the page that explains them.")] = None,
    as_json: AsJson = False,
) -> None:
    """List model families, their options, and the size of each recipe's model."""
    from radvqa.commands.models import models
    from radvqa.report.models import show_models

    result = models(family, markdown=markdown)
    emit(result, as_json, lambda: show_models(result["families"], whole=family is not None))


@app.command()
def recipes(
    recipe: Annotated[Path | None, typer.Argument(help="Print this one with everything filled in.")] = None,
    overrides: Overrides = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the page that explains format and training.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the recipes that ship, or print one with everything filled in."""
    from radvqa.commands.recipes import filled_in, recipes
    from radvqa.report.recipes import show_recipe, show_recipes

    if recipe is not None:
        values = filled_in(recipe, overrides or ())
        emit({"recipe": values}, as_json, lambda: show_recipe(values))
        return
    result = recipes(markdown=markdown)
    emit(result, as_json, lambda: show_recipes(result["recipes"]))


@app.command()
def merge(
    run: RunFolder,
    out: Annotated[Path, typer.Option(help="New folder for the merged weights.")],
    which: Annotated[str, typer.Option(help="Checkpoint: best or last.")] = "best",
    as_json: AsJson = False,
) -> None:
    """Add what a run learned to the weights it began from, in the hub's layout."""
    from radvqa.commands.merge import merge

    folder = merge(run, out, which=which)
    emit({"merged": str(folder)}, as_json, lambda: print(folder))


@adapt_app.command("vision")
def adapt_vision(
    spec: Annotated[Path, typer.Argument(help="A YAML file, or the name of a shipped one: vision_radiology.")],
    overrides: Overrides = None,
    out: Annotated[Path, typer.Option(help="Folder to make, a checkpoint in the hub's layout.")] = ...,  # type: ignore[assignment]
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Train the last blocks of an image encoder on radiology classes and captions; heads are thrown away.

    An adaptation that was interrupted leaves no folder, and starts over.
    """
    from radvqa.commands.adapt import adapt_vision
    from radvqa.report.adapted import show_adapted

    result = adapt_vision(spec, overrides or (), out=out, skip_bad=skip_bad)
    emit(result, as_json, lambda: show_adapted(result))


@adapt_app.command("language")
def adapt_language(
    spec: Annotated[
        Path,
        typer.Argument(help="A YAML file, or the name of a shipped one: language_radiology_8, language_first_8."),
    ],
    overrides: Overrides = None,
    out: Annotated[Path, typer.Option(help="Folder to make, a checkpoint in the hub's layout.")] = ...,  # type: ignore[assignment]
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Keep the first layers of a causal language model, and let it read radiology texts.

    An adaptation that was interrupted leaves no folder, and starts over.
    """
    from radvqa.commands.adapt import adapt_language
    from radvqa.report.adapted import show_adapted

    result = adapt_language(spec, overrides or (), out=out, skip_bad=skip_bad)
    emit(result, as_json, lambda: show_adapted(result))
