"""Serving: the page and the service."""

import os
from pathlib import Path
from typing import Annotated

import typer

from radvqa.cli.shared import AsJson, Device, RunFolder, app, emit


@app.command()
def serve(
    model: Annotated[
        list[str] | None,
        typer.Option(help="starter (ships with radvqa) or a run folder; may be repeated, the first is asked first."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder whose runs are listed.")] = Path("runs"),
    judgements: Annotated[Path, typer.Option(help="SQLite file of judgements.")] = Path("judgements.sqlite"),
    queue: Annotated[Path | None, typer.Option(help="A review queue of `radvqa curate review`.")] = None,
    host: Annotated[str, typer.Option(help="Address; beyond this machine a token is needed.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    name: Annotated[
        list[str] | None, typer.Option(help="A further name of the service, behind a proxy; may be repeated.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the secret that askers show; else RADVQA_SERVE_TOKEN.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Folder where uploads are kept too; without it they stay in memory.")
    ] = None,
    allow_remote_pictures: Annotated[
        bool, typer.Option("--allow-remote-pictures", help="Let askers of /v1 name pictures at public addresses.")
    ] = False,
    per_minute: Annotated[
        int, typer.Option(min=0, help="Requests of one address in a minute; 0: 1200 beyond this machine, else any.")
    ] = 0,
    device: Device = "auto",
) -> None:
    """Serve the page and the API: ask, see where a model looked, compare, judge. On this machine alone by default."""
    from radvqa.commands.serve import serve
    from radvqa.files import read_text
    from radvqa.serving.settings import Limits, Settings

    token = read_text(token_file).strip() if token_file is not None else os.environ.get("RADVQA_SERVE_TOKEN", "")
    settings = Settings(
        runs=runs,
        models=tuple(model or ["starter"]),
        records=judgements,
        queue=queue,
        device=device,
        hosts=tuple(name or ()),
        token=token,
        remote_pictures=allow_remote_pictures,
        keep=keep,
        limits=Limits(per_minute=per_minute),
    )
    serve(settings, host=host, port=port)


@app.command()
def export(
    run: RunFolder,
    out: Annotated[Path, typer.Option(help="New folder: weights, processor, prompt, README.md, radvqa.json.")],
    which: Annotated[str, typer.Option(help="Checkpoint: best or last.")] = "best",
    as_json: AsJson = False,
) -> None:
    """Write a run as a folder that vLLM or transformers load, with the exact command and what is lost."""
    from radvqa.commands.export_run import export
    from radvqa.report.exported import show_exported

    facts = export(run, out, which=which)
    emit(facts, as_json, lambda: show_exported(facts))


@app.command()
def judgements(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="SQLite file of `radvqa serve`.")],
    export: Annotated[Path | None, typer.Option(help="Write them here; the name ends in .csv or .jsonl.")] = None,
    model: Annotated[str, typer.Option(help="Of this model alone.")] = "",
    reader: Annotated[str, typer.Option(help="Of this reader alone.")] = "",
    data: Annotated[str, typer.Option(help="About samples of this data set alone.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Export also what its reader replaced later.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say how readers judged the answers, and how far they agree."""
    from radvqa.commands.judgements import judgements, show
    from radvqa.serving.judgements.choosing import Wanted

    wanted = Wanted(model=model, reader=reader, data=data, replaced=everything)
    found = judgements(file, wanted, export)
    emit(found, as_json, lambda: show(found))
