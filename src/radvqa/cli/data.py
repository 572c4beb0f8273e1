"""Data sets: list, check, fetch, prepare, explore, export, find leaks."""

from pathlib import Path
from typing import Annotated

import typer

from radvqa.cli.shared import AsJson, SkipBad, data_app, emit


@data_app.command("list")
def data_list(
    markdown: Annotated[Path | None, typer.Option(help="Write the page that lists them.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the known data sets, their state on this machine and how to get them."""
    from radvqa.commands.data import list_data
    from radvqa.report.data import show_list

    rows = list_data(markdown=markdown)
    emit({"data_sets": rows}, as_json, lambda: show_list(rows))


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
    emit(report, as_json, lambda: show_check(report))
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

    emit(report, as_json, show)


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
    emit(found, as_json, lambda: show_leaks(found))


@data_app.command("explain")
def data_explain(
    name: Annotated[str, typer.Argument(help="NAME, NAME:VERSION or a YAML file of your own.")], as_json: AsJson = False
) -> None:
    """Tell all about a data set: licence, versions and how they differ, traps, how to get it."""
    from radvqa.commands.data import explain_data
    from radvqa.report.data import show_explain

    report = explain_data(name)
    emit(report, as_json, lambda: show_explain(report))


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
    emit(result, as_json, lambda: show_fetch(result))


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
    emit(result, as_json, lambda: show_export(result))


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
    emit(report, as_json, lambda: show_deidentified(report))
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
    emit(found, as_json, lambda: show_exploration(found))
