"""Curation: plan, write, filter, check, review, mix."""

from pathlib import Path
from typing import Annotated

import typer

from radvqa.cli.shared import AsJson, SkipBad, curate_app, emit

CaptionData = Annotated[str, typer.Argument(metavar="DATA", help="Data set with captions, or a YAML file of your own.")]
CaptionSplit = Annotated[str, typer.Option("--split", help="Split of the captions.")]
Templates = Annotated[
    list[str] | None,
    typer.Option("--template", help="Prompt: a built-in name, or a file; may be repeated. By default `mixed`."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many pictures.")]
Apart = Annotated[
    list[str] | None, typer.Option("--without-pictures-of", help="Leave pictures out that this data set holds too.")
]
Url = Annotated[str, typer.Option("--endpoint", metavar="URL", help="OpenAI-compatible: …/v1.")]
Model = Annotated[str, typer.Option("--model", help="The model's name at that endpoint.")]
Temperature = Annotated[float, typer.Option(min=0, help="Of sampling.")]
Seed = Annotated[int, typer.Option(help="Of sampling, where the server knows it.")]
MaxTokens = Annotated[int, typer.Option(min=1, help="Limit of one reply.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Requests under way at once.")]
Timeout = Annotated[float, typer.Option(min=1, help="Seconds for one request.")]
PriceIn = Annotated[float | None, typer.Option(min=0, help="Of a million tokens read.")]
PriceOut = Annotated[float | None, typer.Option(min=0, help="Of a million tokens written.")]
Table = Annotated[Path, typer.Argument(metavar="PAIRS", help="A table that `curate generate` wrote.")]
Out = Annotated[Path | None, typer.Option(help="Write another table; by default the same one.")]


@curate_app.command("plan")
def curate_plan(
    data: CaptionData,
    split: CaptionSplit = "train",
    template: Templates = None,
    limit: Limit = None,
    without_pictures_of: Apart = None,
    tokens_per_second: Annotated[float | None, typer.Option(min=0.001, help="That the server writes in all.")] = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Say how many requests, tokens and hours a generation would take; nothing is asked."""
    from radvqa.commands.curate import Captions, plan
    from radvqa.report.curated import show_plan

    captions = Captions(data, split, limit, tuple(without_pictures_of or ()))
    planned = plan(
        captions,
        template or ["mixed"],
        tokens_per_second=tokens_per_second,
        price_in=price_in,
        price_out=price_out,
        skip_bad=skip_bad,
    )
    emit(planned, as_json, lambda: show_plan(planned))


@curate_app.command("generate")
def curate_generate(
    data: CaptionData,
    endpoint: Url,
    model: Model,
    out: Annotated[Path, typer.Option(help="The table, .jsonl or .parquet.")],
    split: CaptionSplit = "train",
    template: Templates = None,
    limit: Limit = None,
    without_pictures_of: Apart = None,
    pictures: Annotated[bool, typer.Option("--pictures", help="Send pictures along, where the model sees.")] = False,
    temperature: Temperature = 0.0,
    seed: Seed = 0,
    max_tokens: MaxTokens = 1024,
    concurrency: Concurrency = 8,
    timeout: Timeout = 300.0,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Have a language model write questions and answers from captions; asks nothing twice."""
    from radvqa.commands.curate import Captions, Writer, generate
    from radvqa.report.curated import show_generated

    captions = Captions(data, split, limit, tuple(without_pictures_of or ()))
    writer = Writer(endpoint, model, temperature, seed, max_tokens, concurrency, timeout)
    prices = None if price_in is None and price_out is None else (price_in or 0.0, price_out or 0.0)
    made = generate(captions, writer, out, template or ["mixed"], pictures=pictures, prices=prices, skip_bad=skip_bad)
    emit(made, as_json, lambda: show_generated(made))


@curate_app.command("filter")
def curate_filter(
    table: Table,
    out: Out = None,
    without: Annotated[list[str] | None, typer.Option(help="Switch a rule off; may be repeated.")] = None,
    most: Annotated[float | None, typer.Option(min=0.5, max=1, help="Largest share of yes or no.")] = None,
    tests: Annotated[
        list[str] | None, typer.Option("--test", help="Data set whose test questions must not be learned.")
    ] = None,
    by: Annotated[str, typer.Option(help="Category: organ, modality, kind, or a fact such as Location.")] = "organ",
    pictures: Annotated[int, typer.Option(min=0, help="Leave categories with fewer pictures out.")] = 0,
    categories: Annotated[int | None, typer.Option(min=1, help="Keep so many of the most common ones.")] = None,
    cap: Annotated[int | None, typer.Option(min=1, help="At most so many pairs of a category.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Keep this category; may be repeated.")] = None,
    term: Annotated[
        list[str] | None, typer.Option(help="Category by what the texts speak of, e.g. a pathology; may be repeated.")
    ] = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Take out what should not be learned: each rule is named, counted and can be switched off."""
    from radvqa.commands.curate import filter_table
    from radvqa.curating.selecting import Wanted
    from radvqa.report.curated import show_filtered

    wanted = Wanted(by, pictures, categories, cap, tuple(only or ()), tuple(term or ()))
    done = filter_table(
        table,
        out,
        without=without or (),
        most=most,
        tests=tests or (),
        wanted=wanted if wanted != Wanted(by) else None,
        skip_bad=skip_bad,
    )
    emit(done, as_json, lambda: show_filtered(done))


@curate_app.command("verify")
def curate_verify(
    table: Table,
    endpoint: Url,
    model: Model,
    out: Out = None,
    strict: Annotated[bool, typer.Option("--strict", help="Take out what the model is unsure of too.")] = False,
    concurrency: Concurrency = 8,
    timeout: Timeout = 300.0,
    as_json: AsJson = False,
) -> None:
    """Have a language model check pairs against the captions that they were written from."""
    from radvqa.commands.curate import Writer, verify_table
    from radvqa.report.curated import show_verified

    writer = Writer(endpoint, model, max_tokens=200, concurrency=concurrency, timeout=timeout)
    done = verify_table(table, writer, out, strict=strict)
    emit(done, as_json, lambda: show_verified(done))


@curate_app.command("review")
def curate_review(
    table: Table,
    queue: Annotated[Path | None, typer.Option(help="The queue's file; beside the table by default.")] = None,
    overlap: Annotated[float, typer.Option(min=0, max=1, help="Share that two reviewers judge.")] = 0.1,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8001,
    host: Annotated[str, typer.Option(help="Anything but the loopback demands a token.")] = "127.0.0.1",
    token: Annotated[str, typer.Option(envvar="RADVQA_REVIEW_TOKEN", help="Secret for other machines.")] = "",
) -> None:
    """Open the page on which people pass, discard and edit pairs."""
    from radvqa.commands.review import review

    review(table, queue, overlap=overlap, host=host, port=port, token=token)


@curate_app.command("collect")
def curate_collect(
    table: Table,
    queue: Annotated[Path | None, typer.Option(help="The queue's file; beside the table by default.")] = None,
    out: Out = None,
    keep_unreviewed: Annotated[bool, typer.Option("--keep-unreviewed", help="Keep pairs that nobody judged.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put the decisions of a review into the table."""
    from radvqa.commands.curate import collect
    from radvqa.report.curated import show_collected

    done = collect(table, queue or table.with_suffix(".review.sqlite"), out, keep_unreviewed=keep_unreviewed)
    emit(done, as_json, lambda: show_collected(done))


@curate_app.command("to-label-studio")
def curate_to_label_studio(
    table: Table,
    out: Annotated[Path, typer.Option(help="The tasks, .json; the configuration is written beside them.")],
    as_json: AsJson = False,
) -> None:
    """Write the pairs as tasks for Label Studio."""
    from radvqa.commands.curate import to_label_studio

    made = to_label_studio(table, out)
    emit(
        made, as_json, lambda: print(f"{made['tasks']:,} tasks: {made['file']}; configuration: {made['configuration']}")
    )


@curate_app.command("from-label-studio")
def curate_from_label_studio(
    export: Annotated[Path, typer.Argument(metavar="EXPORT", help="JSON that Label Studio exported.")],
    queue: Annotated[Path, typer.Option(help="The queue that takes the decisions.")],
    as_json: AsJson = False,
) -> None:
    """Take the decisions of a Label Studio export into a review queue."""
    from radvqa.commands.curate import from_label_studio

    made = from_label_studio(export, queue)
    emit(made, as_json, lambda: print(f"{made['decisions']:,} decisions, {made['new']:,} of them new: {made['queue']}"))


@curate_app.command("mix")
def curate_mix(
    tables: Annotated[list[str], typer.Argument(metavar="PAIRS[=SHARE]", help="Tables, and their shares if wanted.")],
    out: Annotated[Path, typer.Option(help="Folder of the data set.")],
    name: Annotated[str | None, typer.Option(help="Of the data set; the folder's by default.")] = None,
    anneal: Annotated[list[Path] | None, typer.Option(help="Table kept for the end of a training.")] = None,
    by: Annotated[str, typer.Option(help="Category of counts and pictures.")] = "organ",
    validate: Annotated[float, typer.Option(min=0, max=0.9, help="Share of cases held out where none are.")] = 0.1,
    as_json: AsJson = False,
) -> None:
    """Make a data set of checked pairs, with its card, that any recipe can name."""
    from radvqa.commands.curate import mix_tables
    from radvqa.report.curated import show_mixed

    made = mix_tables(tables, out, name=name, anneal=anneal or (), by=by, validate=validate)
    emit(made, as_json, lambda: show_mixed(made))
