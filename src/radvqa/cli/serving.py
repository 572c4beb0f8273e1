"""Serving: the page and the service."""

import os
from pathlib import Path
from typing import Annotated

import typer

from radvqa.cli.shared import Device, app


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
    token_file: Annotated[
        Path | None, typer.Option(help="File with the secret that askers show; else RADVQA_SERVE_TOKEN.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Folder where pictures that are handed in are kept too; else memory alone.")
    ] = None,
    device: Device = "auto",
) -> None:
    """Serve the page and the API: ask, see where a model looked, compare, judge. On this machine alone by default."""
    from radvqa.commands.serve import serve
    from radvqa.files import read_text
    from radvqa.serving.settings import Settings

    token = read_text(token_file).strip() if token_file is not None else os.environ.get("RADVQA_SERVE_TOKEN", "")
    settings = Settings(
        runs=runs,
        models=tuple(model or ["starter"]),
        records=judgements,
        queue=queue,
        device=device,
        token=token,
        keep=keep,
    )
    serve(settings, host=host, port=port)
