"""What the commands share: the applications, options that several have, and how a result is told."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from radvqa import console

_CHAIN = (
    *(
        "quickstart",
        "data",
        "curate",
        "recipes",
        "models",
        "doctor",
        "train",
        "sweep",
        "adapt",
        "predict",
        "ensemble",
        "score",
    ),
    *("probe", "explain", "diagnose", "compare", "results", "scaling", "metrics", "ask", "starter"),
    *("serve", "merge", "export", "bench"),
)


class _InOrder(TyperGroup):
    """Help shows the commands in the order in which they are used."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=lambda name: (*_CHAIN, name).index(name))


app = typer.Typer(
    name="radvqa",
    cls=_InOrder,
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
adapt_app = typer.Typer(
    help="Train a published part on radiology; what comes out is a checkpoint that any recipe can name.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
starter_app = typer.Typer(
    help="Make the small model that ships with radvqa.", no_args_is_help=True, rich_markup_mode=None
)
curate_app = typer.Typer(
    help="From captions to checked training questions: write, filter, review, mix.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for name, group in {
    "data": data_app,
    "curate": curate_app,
    "bench": bench_app,
    "starter": starter_app,
    "adapt": adapt_app,
}.items():
    app.add_typer(group, name=name)

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


def emit(result: Any, as_json: bool, show: Callable[[], None]) -> None:
    """Print a result as JSON, or let it be shown."""
    if not console.speaks():
        return
    if as_json:
        print(json.dumps(result, ensure_ascii=False, allow_nan=False, indent=2))
    else:
        show()


def launch_if_asked(processes: int | None) -> None:
    """Do the command in several processes instead, and end as they end."""
    from radvqa.commands.launch import launch, needed

    if processes is not None and needed(processes):
        sys.exit(launch(processes))
