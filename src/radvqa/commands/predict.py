"""``radvqa predict``: a run's best weights answer a split; the trivial baselines answer the same questions."""

import random
from collections.abc import Sequence
from pathlib import Path

from radvqa import files
from radvqa.data import image
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, ImageError
from radvqa.prediction import Prediction
from radvqa.run import Answers, Run
from radvqa.sample import Sample

_EXAMPLES = 12
_EXAMPLE_SIDE = 320  # pixels


def predict(
    run: Path, *, data: str | None = None, split: str | None = None, device: str = "auto", skip_bad: bool = False
) -> Path:
    """Answer a split with a trained run and write the predictions into the run folder.

    Args:
        run: a finished run folder.
        data: data set as ``name`` or ``name:version``; by default the recipe's own.
        split: by default the recipe's test split.
        device: ``auto``, ``cpu`` or ``cuda``.
        skip_bad: leave unusable rows and pictures out, and report them, instead of stopping at the first.

    Returns:
        The predictions file.

    Raises:
        RadvqaError: when the run is unfinished or damaged, or the data cannot be used.
    """
    opened = Run(Path(run))
    opened.require_finished()
    with Run.held(opened.folder):
        return _predict(opened, data, split, device, Problems(skip=skip_bad))


def _predict(run: Run, data: str | None, split: str | None, device: str, problems: Problems) -> Path:
    from radvqa import device as devices
    from radvqa.answering import answer_prepared
    from radvqa.commands.train import selection_samples
    from radvqa.data import registry
    from radvqa.models.checkpoint import load_model
    from radvqa.recipe import parse_recipe
    from radvqa.scoring.baselines import predict_baselines
    from radvqa.text import normaliser_for

    recipe = parse_recipe(run.recipe, str(run.folder / "recipe.yaml"))
    answers = run.answers(registry.select(data).name if data else None, split)
    samples = registry.load_split(answers.dataset, answers.split, problems)
    devices.keep_freed_memory()
    model = load_model(run.checkpoints, devices.choose(device))
    prepared = model.prepare(samples, problems)
    predictions, _ = answer_prepared(model, prepared)
    learned, _ = selection_samples(recipe.data, registry.load_split(recipe.data.name, recipe.data.train, problems), [])
    normaliser = normaliser_for(learned[0].language)
    baselines = predict_baselines(learned, prepared.samples, normaliser)
    if not answers.suffix:
        write_examples(run, answers, prepared.samples, predictions)
    run.write_answers(answers, predictions, baselines)
    return run.folder / answers.file("predictions", "jsonl")


def write_examples(run: Run, answers: Answers, samples: Sequence[Sample], predictions: Sequence[Prediction]) -> None:
    """Keep a few pictures of the answered split in the run folder, so that reports need no data set.

    The choice is the same for every run on this split: a fixed shuffle, at most one question a picture.
    """
    order = list(range(len(samples)))
    random.Random(f"{answers.dataset} {answers.split}").shuffle(order)
    chosen: dict[str, Sample] = {}
    for row in order:
        chosen.setdefault(samples[row].image, samples[row])
        if len(chosen) == _EXAMPLES:
            break
    names: dict[str, str] = {}
    for number, sample in enumerate(chosen.values(), start=1):
        try:
            pixels = image.decode(sample.image_path)
        except ImageError as error:
            raise DataError(f"The example picture of {sample.id} vanished after it was answered: {error}") from None
        height, width = pixels.shape[:2]
        scale = min(1.0, _EXAMPLE_SIDE / max(height, width))
        small = image.resize(pixels, max(1, round(width * scale)), max(1, round(height * scale)))
        names[sample.id] = f"{number:02d}.png"
        files.write_bytes(run.examples / names[sample.id], image.encode_png(small))
    files.write_json(run.examples / "examples.json", names)
