"""Ours against the naive way."""

from pathlib import Path
from typing import Annotated, Any

import typer

from radvqa.cli.shared import AsJson, Device, Overrides, RunFolder, bench_app, emit
from radvqa.registry import Registry


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
    emit(result, as_json, lambda: show_ask_bench(result))


@bench_app.command("explain")
def bench_explain(
    run: RunFolder,
    repeats: Annotated[int, typer.Option(min=1, help="Pictures; the median counts.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 2,
    as_json: AsJson = False,
) -> None:
    """Maps of one answer: passes shared by all methods against a pass for each."""
    from radvqa.commands.bench_explain import bench_explain
    from radvqa.report.bench import show_explain_bench

    result = bench_explain(run, repeats=repeats, threads=threads)
    emit(result, as_json, lambda: show_explain_bench(result))


@bench_app.command("serve")
def bench_serve(
    clients: Annotated[int, typer.Option(min=1, help="That ask at a time.")] = 32,
    seconds: Annotated[float, typer.Option(min=1, help="How long they ask.")] = 60.0,
    requests: Annotated[int | None, typer.Option(min=1, help="Ask so many questions instead.")] = None,
    pictures: Annotated[int, typer.Option(min=1, help="Distinct ones, each of one client alone.")] = 64,
    naive_seconds: Annotated[float, typer.Option(min=0, help="How long a plain service is asked; 0: not.")] = 15.0,
    as_json: AsJson = False,
) -> None:
    """Many clients at `radvqa serve`, each checking its answers: ours against one look at the picture a question."""
    from radvqa.commands.bench_serve import bench_serve
    from radvqa.report.bench import show_serve_bench
    from radvqa.serving.load.clients import Load

    if pictures < clients:
        raise typer.BadParameter(
            f"every client needs a picture of its own: at least {clients}", param_hint="--pictures"
        )
    result = bench_serve(Load(clients, seconds, requests, pictures), naive_seconds=naive_seconds)
    emit(result, as_json, lambda: show_serve_bench(result))


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

    emit(result, as_json, show)


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

    emit(result, as_json, show)


@bench_app.command("curate")
def bench_curate(
    captions: Annotated[int, typer.Option(min=100, help="How many made-up captions to plan for.")] = 80_000,
    pairs: Annotated[int, typer.Option(min=2000, help="How many made-up pairs to filter and review.")] = 50_000,
    as_json: AsJson = False,
) -> None:
    """Planning, filtering and reviewing: against comparing every two pairs, and one JSON file."""
    from radvqa.commands.bench_curate import bench_curate
    from radvqa.report.bench import show_curate_bench

    result = bench_curate(captions, pairs)
    emit(result, as_json, lambda: show_curate_bench(result))


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

    emit(result, as_json, show)


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
    emit(result, as_json, lambda: show_engine_bench(result))


@bench_app.command("scaling")
def bench_scaling(
    repeats: Annotated[int, typer.Option(min=1, help="Simulated series of each number of points.")] = 300,
    as_json: AsJson = False,
) -> None:
    """Intervals of the scaling law on constants that are known: ours against the percentile bootstrap."""
    from radvqa.commands.bench_scaling import bench_scaling
    from radvqa.report.bench import show_scaling_bench

    result = bench_scaling(repeats=repeats)
    emit(result, as_json, lambda: show_scaling_bench(result))


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
        emit(result, as_json, lambda: show_family_bench(result))


# a command of its own; cached features alone; no net
_TIMED_OTHERWISE = ("cnn_lstm", "coattention", "coattention_llm", "endpoint")
for _family in Registry[Any]("radvqa.models.families", "FAMILY"):
    if _family not in _TIMED_OTHERWISE:
        _add_family_bench(_family)
