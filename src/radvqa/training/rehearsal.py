"""What a stage could not do is found before the first step of the first stage, not hours later."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from radvqa import files
from radvqa.answering import answer_rows
from radvqa.data import keep
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, RecipeError, nearest
from radvqa.models.family import VqaModel
from radvqa.prediction import from_sample
from radvqa.sample import Sample
from radvqa.training import selection
from radvqa.training.learnable import Learnable
from radvqa.training.optimizer import require_learning
from radvqa.training.stage_samples import StageSamples


def rehearse(model: VqaModel, learnable: Learnable, stages: Sequence[StageSamples]) -> None:
    """Look through all stages for what would stop them.

    Args:
        model: as it was built.
        learnable: of the model; everything learns again afterwards.
        stages: what is learned from and chosen on, in order.

    Raises:
        RecipeError: for a stage that learns nothing, a rate of a part that does not learn, a part to carry over that
            there is not, and a metric that the family or the selection split cannot have.
    """
    for samples in stages:
        stage, place = samples.stage, f"stages.{samples.stage.number} ({samples.stage.name})"
        learnable.only(stage.modes, place)
        require_learning(learnable.by_part(), stage.learning, place)
        for part in stage.carry.parts or ():
            if part not in model.parts:
                raise RecipeError(
                    f"{place}: carry.parts: there is no part {part!r}; {nearest(part, list(model.parts))}"
                )
        require_metric(model, samples, place)
    learnable.restore()


def require_metric(model: VqaModel, samples: StageSamples, place: str) -> None:
    """Refuse a metric that the model or the gold answers cannot give.

    One question of each kind is answered, which shows whether candidates come with the answers. The metric is then
    computed as if every question were answered by its gold.

    Args:
        model: answers.
        samples: of the stage.
        place: of the stage, for messages.

    Raises:
        RecipeError: says what is lacking.
    """
    learning = samples.stage.learning
    if learning.select_by == selection.LOSS:
        return
    ranked = _ranked(model, samples.chosen)
    for names, chosen in (
        ([learning.select_by], keep.where(samples.chosen, learning.select_where)),
        (selection.REPORTED, samples.chosen),
    ):
        predictions = [
            from_sample(sample, sample.answer, candidates=((sample.answer, 1.0),) if ranked[_kind(sample)] else ())
            for sample in chosen
            if _kind(sample) in ranked
        ]
        try:
            if predictions:
                selection.measure(predictions, names)
        except RecipeError as error:
            raise RecipeError(f"{place}: {error}") from None


def _ranked(model: VqaModel, samples: Sequence[Sample]) -> dict[tuple[str, ...], bool]:
    """Whether the answers to questions of each kind come with candidates; kinds of unusable samples are left out.

    Features of frozen towers depend in their last bits on which pictures are computed together, so none of those that
    the training will use are computed here.
    """
    one_each = list({_kind(sample): sample for sample in reversed(samples)}.values())
    with tempfile.TemporaryDirectory() as folder, files.cold_cache(Path(folder)):
        try:
            prepared = model.prepare(one_each, Problems(skip=True))
        except DataError:
            return {}  # when the stage is prepared, bad pictures are told or left out, as was asked for
        answered, _ = answer_rows(model, prepared, torch.arange(len(prepared.samples)), with_loss=False)
    return {_kind(prepared.samples[row]): bool(answered[row].candidates) for row in answered}


def _kind(sample: Sample) -> tuple[str, ...]:
    return sample.task, sample.answer_type
