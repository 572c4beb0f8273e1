"""``radvqa predict``: a run's best weights answer a split; the trivial baselines answer the same questions."""

import random
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radvqa import files
from radvqa.data import image, keep
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, ImageError
from radvqa.run import Answers, Run
from radvqa.sample import Sample

if TYPE_CHECKING:
    from radvqa.models.family import VqaModel
    from radvqa.training.processes import Processes

_EXAMPLES = 12
_EXAMPLE_SIDE = 320  # pixels
_THUMBNAILS = 2000
_THUMBNAIL_SIDE = 192  # pixels
_TIMED = 16


def predict(
    run: Path, *, data: str | None = None, split: str | None = None, device: str = "auto", skip_bad: bool = False
) -> Path:
    """Answer a split with a trained run and write the predictions into the run folder.

    Args:
        run: a finished run folder.
        data: data set as ``name`` or ``name:version``, or a YAML file; by default the recipe's own.
        split: by default the recipe's test split.
        device: ``auto``, ``cpu`` or ``cuda``.
        skip_bad: leave unusable rows and pictures out, and report them, instead of stopping at the first.

    Returns:
        The predictions file.

    Raises:
        RadvqaError: when the run is unfinished or damaged, or the data cannot be used.
    """
    opened = Run(Path(run))
    opened.require_model()
    from radvqa.training.together import joined

    with joined(device) as processes, Run.held(opened.folder) if processes.main else nullcontext():
        return _predict(opened, data, split, device, Problems(skip=skip_bad), processes)


def _predict(
    run: Run, data: str | None, split: str | None, device: str, problems: Problems, processes: "Processes"
) -> Path:
    from radvqa import device as devices
    from radvqa.commands.own_data import asked
    from radvqa.commands.prepare import selection_samples
    from radvqa.data import registry
    from radvqa.models.checkpoint import load_model
    from radvqa.models.family import Noted
    from radvqa.recipe import parse_recipe
    from radvqa.scoring.baselines import fit_baselines
    from radvqa.text import NORMALISERS, normaliser_for
    from radvqa.training.looking import answer_together

    recipe = parse_recipe(run.recipe, str(run.folder / "recipe.yaml"))
    questions = asked(run, recipe.data, data, split)
    answers = questions.answers
    samples = registry.load_split(questions.place, answers.split, problems)
    devices.keep_freed_memory()
    model = load_model(run.checkpoints, chosen := devices.choose(device))
    prepared = model.prepare(samples, problems)
    predictions, _ = answer_together(model, prepared, processes, with_loss=False)
    met = _added(processes.gather([model.notes() if isinstance(model, Noted) else {}]))
    written = run.folder / answers.file("predictions", "jsonl")
    if not processes.main:
        return written
    training = registry.load_split(questions.trained_on, recipe.data.train, problems)
    learned = keep.capped(selection_samples(recipe.data, training, [])[0], recipe.data.cap)
    baselines = fit_baselines(learned, NORMALISERS[normaliser_for(sample.language for sample in learned)])
    if not answers.suffix:
        write_examples(run, answers, prepared.samples)
    write_thumbnails(run.thumbnails(answers), prepared.samples)
    measured: dict[str, Any] = {"device": str(chosen), **met}
    if list(model.module.parameters()):  # what an endpoint answers is cached, and its time is the server's
        measured["seconds_per_question"] = seconds_per_question(model, prepared.samples)
    run.note("answering", {f"{answers.dataset} {answers.split}": measured})
    run.write_answers(answers, baselines.familiar(predictions), baselines.predict(prepared.samples))
    return written


def _added(notes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What models met in several processes: numbers are added up."""
    together = dict(notes[0])
    for note in notes[1:]:
        for key, value in note.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                together[key] += value
    return together


def seconds_per_question(model: "VqaModel", samples: Sequence[Sample]) -> float:
    """Time questions about pictures that nothing was prepared for: decoding, features, answer; in seconds each.

    Up to 16 questions about different pictures are answered in one batch, with empty caches.
    """
    from radvqa.answering import answer_prepared

    timed = list({sample.image: sample for sample in reversed(samples)}.values())[:_TIMED]
    with tempfile.TemporaryDirectory(prefix="radvqa-cold-") as folder, files.cold_cache(Path(folder)):
        started = time.perf_counter()
        answer_prepared(model, model.prepare(timed, Problems()), with_loss=False)
        return round((time.perf_counter() - started) / len(timed), 6)


def write_thumbnails(folder: Path, samples: Sequence[Sample]) -> None:
    """Keep every picture of the answered split as a small WebP, so that reports can show any question.

    ``index.json`` maps image name to file name. Of more than 2,000 pictures the first are kept.
    """
    pictures = dict(list({sample.image: sample for sample in samples}.items())[:_THUMBNAILS])
    shutil.rmtree(folder, ignore_errors=True)
    with files.atomic_folder(folder) as new:
        names = {}
        for number, (name, sample) in enumerate(pictures.items()):
            names[name] = f"{number:04d}.webp"
            small = image.shrink(_decoded(sample), _THUMBNAIL_SIDE)
            files.write_bytes(new / names[name], image.encode_webp(small))
        files.write_json(new / "index.json", names)


def write_examples(run: Run, answers: Answers, samples: Sequence[Sample]) -> None:
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
        names[sample.id] = f"{number:02d}.png"
        small = image.shrink(_decoded(sample), _EXAMPLE_SIDE)
        files.write_bytes(run.examples / names[sample.id], image.encode_png(small))
    files.write_json(run.examples / "examples.json", names)


def _decoded(sample: Sample) -> image.Pixels:
    try:
        return image.decode(sample.image_path)
    except ImageError as error:
        raise DataError(f"The picture of {sample.id} vanished after it was answered: {error}") from None
