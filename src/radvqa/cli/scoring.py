"""Scores, comparisons, pages of results, scaling."""

from pathlib import Path
from typing import Annotated

import typer

from radvqa.cli.shared import AsJson, Data, Device, RunFolder, SkipBad, Split, app, emit
from radvqa.errors import RadvqaError


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
    emit(scores, as_json, lambda: show_scores(run_or_predictions.name, scores))


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
def metrics(
    markdown: Annotated[Path | None, typer.Option(help="Write the page that explains them.")] = None,
    as_json: AsJson = False,
) -> None:
    """Explain every metric and published scoring rule, with its source."""
    from radvqa.commands.metrics import metrics
    from radvqa.report.evaluation import show_metrics

    result = metrics(markdown=markdown)
    emit(result, as_json, lambda: show_metrics())


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
    emit(result, as_json, lambda: command.show(runs, data=data, split=split))


@app.command()
def diagnose(
    run: RunFolder,
    data: Data = None,
    split: Split = None,
    method: Annotated[
        str | None, typer.Option(help="Whose maps to use; those that lie most in their targets by default.")
    ] = None,
    pairs: Annotated[bool, typer.Option("--pairs/--no-pairs", help="Also cut the test by two things at once.")] = True,
    fewest: Annotated[int, typer.Option(min=2, help="Questions that a group needs.")] = 20,
    rows: Annotated[int, typer.Option(min=1, help="Questions on the review sheet.")] = 60,
    backbone: Annotated[
        str | None, typer.Option(help="Image encoder that says which pictures look alike, or grey; the run's own.")
    ] = None,
    intervene: Annotated[
        bool, typer.Option("--intervene", help="Cover letters, markers and margins, and ask the run again.")
    ] = False,
    sheets: Annotated[
        list[Path] | None,
        typer.Option("--import", metavar="FILLED.csv", help="Read a filled review sheet back; may be repeated."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of page and sheet; in the run folder by default.")] = None,
    device: Device = "auto",
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Where does a run fail, how sure is that, and is it right for the right reason? With a sheet for an expert."""
    from radvqa.commands import diagnose as command
    from radvqa.report.diagnosis.show import show_diagnosis, show_judged

    if sheets:
        judged = command.take_in(run, sheets, data=data, split=split, out=out)
        emit(judged, as_json, lambda: show_judged(judged))
        return
    found = command.diagnose(
        run,
        data=data,
        split=split,
        method=method,
        pairs=pairs,
        fewest=fewest,
        rows=rows,
        backbone=backbone,
        intervene=intervene,
        device=device,
        out=out,
        skip_bad=skip_bad,
    )
    emit(found, as_json, lambda: show_diagnosis(found))


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
    emit(found, as_json, lambda: command.show(found))


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
    emit(result, as_json, lambda: show_scaling(result))
