"""A look at the selection split: answers, loss, and the value that chooses; all processes share the questions."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from radvqa.answering import answer_rows
from radvqa.data import keep
from radvqa.models.family import Prepared, VqaModel
from radvqa.prediction import Prediction
from radvqa.recipe.learning import LearningSection
from radvqa.training import selection
from radvqa.training.processes import Processes


@dataclass(frozen=True)
class Seen:
    """What a look found.

    Attributes:
        loss: mean over the questions.
        value: what chooses.
        measured: metrics over all questions; none where the loss alone is asked for.
    """

    loss: float
    value: float
    measured: dict[str, float]


def look(model: VqaModel, prepared: Prepared, learning: LearningSection, processes: Processes) -> Seen:
    """Answer the selection split, or compute its loss alone where that is what chooses."""
    rows = torch.arange(len(prepared.samples), device=prepared.image_rows.device)
    own, _ = processes.own(rows, prepared)
    if learning.select_by == selection.LOSS:
        loss = _mean(processes, _loss(model, prepared, own, learning), len(rows), rows.device)
        return Seen(loss, loss, {})
    answered, loss_sum = answer_rows(model, prepared, own)
    gathered = dict(processes.gather(list(answered.items())))
    predictions = [gathered[row] for row in range(len(rows))]
    measured = selection.measure(predictions, [learning.select_by, *selection.REPORTED])
    value = measured[learning.select_by]
    if learning.select_where:
        value = selection.measure(_kept(predictions, prepared, learning), [learning.select_by])[learning.select_by]
    return Seen(_mean(processes, loss_sum, len(rows), rows.device), value, measured)


def _kept(predictions: Sequence[Prediction], prepared: Prepared, learning: LearningSection) -> list[Prediction]:
    wanted = {sample.id for sample in keep.where(prepared.samples, learning.select_where)}
    return [prediction for prediction in predictions if prediction.id in wanted]


def _loss(model: VqaModel, prepared: Prepared, rows: torch.Tensor, learning: LearningSection) -> float:
    """Sum of the losses of some rows, in evaluation mode; a picture's questions in one pass."""
    was_training = model.module.training
    model.module.eval()
    order = rows[torch.argsort(prepared.image_rows[rows], stable=True)]
    total = 0.0
    with torch.no_grad():
        for part in torch.split(order, learning.micro_batch_size or learning.batch_size):
            step = model.loss(prepared, part)
            total += step.loss.item() / step.members * len(part)
    model.module.train(was_training)
    return total


def _mean(processes: Processes, total: float, count: int, device: torch.device) -> float:
    return processes.sum(torch.tensor(total, dtype=torch.float64, device=device)).item() / max(1, count)
