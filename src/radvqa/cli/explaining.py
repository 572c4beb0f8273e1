"""Where a model looked, and whether that is to be believed."""

from pathlib import Path
from typing import Annotated

import typer

from radvqa.cli.shared import AsJson, Data, Device, Split, app, emit
from radvqa.errors import RadvqaError


@app.command()
def explain(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder, last, or starter.")],
    picture: Annotated[Path | None, typer.Argument(metavar="IMAGE", help="An image file.")] = None,
    question: Annotated[str | None, typer.Argument(metavar="QUESTION", help="About the image.")] = None,
    sample: Annotated[
        str | None, typer.Option(help="Explain this sample of the data set instead of an image and a question.")
    ] = None,
    data: Data = None,
    split: Split = None,
    methods: Annotated[
        list[str] | None, typer.Option("--method", help="May be repeated; the cheap ones that apply by default.")
    ] = None,
    token: Annotated[int | None, typer.Option(help="Token of the answer, from 0; by default the whole answer.")] = None,
    layer: Annotated[int | None, typer.Option(help="Of raw attention; -1 is the last; the mean by default.")] = None,
    head: Annotated[int | None, typer.Option(help="Of raw attention; the mean by default.")] = None,
    fusion: Annotated[str, typer.Option(help="How rollout joins heads: mean, min or max.")] = "mean",
    discard: Annotated[float, typer.Option(min=0, max=0.99, help="Share of attention that rollout drops.")] = 0.0,
    start: Annotated[int, typer.Option(min=0, help="First layers that rollout leaves out.")] = 0,
    encoder: Annotated[
        bool, typer.Option("--encoder", help="Trace rollout and relevancy through the image encoder's own layers too.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder of pictures, arrays and summary.")] = Path("explained"),
    proof: Annotated[bool, typer.Option(help="Measure deletion and insertion for each map.")] = True,
    faithful: Annotated[int, typer.Option(min=0, help="Of a split, questions with deletion and insertion.")] = 24,
    sane: Annotated[int, typer.Option(min=0, help="Of a split, questions with random weights.")] = 12,
    limit: Annotated[int | None, typer.Option(min=1, help="Of a split, so many questions only.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Of a split, write the table as a page.")] = None,
    seed: Annotated[int, typer.Option(help="Of methods that draw, and of the questions that are drawn.")] = 0,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Where did it look? Maps with their proof, for one picture, a sample, or a whole split (--data or --split)."""
    if fusion not in ("mean", "min", "max"):
        raise RadvqaError(f"--fusion is mean, min or max, not {fusion!r}.")
    from radvqa.commands.explain import Wanted, explain, explain_sample, explain_split
    from radvqa.explaining.attention.rollout import RolloutOptions
    from radvqa.explaining.methods import METHODS, Wishes
    from radvqa.report.explained import explained_page, show_explained

    wishes = Wishes(layer, head, RolloutOptions(fusion, discard, encoder, start), seed)
    chosen = tuple(methods or ())
    asked = Wanted(out, chosen, token, wishes, proof, device)
    if sample is not None:
        found = explain_sample(run, sample, asked, data=data, split=split)
    elif picture is not None and question is not None:
        found = explain(run, picture, question, asked)
    elif picture is None and (data is not None or split is not None):
        from radvqa.explaining.table import Plan

        cheap = tuple(name for name, one in METHODS.items() if one.cheap)
        plan = Plan(chosen or cheap, wishes, faithful, sane, seed)
        found = explain_split(Path(run), data=data, split=split, plan=plan, device=device, limit=limit)
        if markdown is not None:
            from radvqa import files

            files.write_text(markdown, explained_page(found))
    else:
        raise RadvqaError(
            "Say what to explain: an image and a question, --sample ID, or --data NAME --split SPLIT for a whole split."
        )
    emit(found, as_json, lambda: show_explained(found))
