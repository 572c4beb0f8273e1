"""A look at the selection split: answers, loss, and the value that chooses; all processes share the questions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from radvqa.answering import answer_rows, passes
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
        measured: metrics over all questions that have them; none where the loss alone is asked for.
    """

    loss: float
    value: float
    measured: dict[str, float]


def look(
    model: VqaModel,
    prepared: Prepared,
    learning: LearningSection,
    processes: Processes,
    *,
    undefined: float | None = 0.0,
) -> Seen:
    """Answer the selection split, or compute its loss alone where that is what chooses.

    Args:
        model: answers.
        prepared: rows of the selection split.
        learning: says what chooses.
        processes: share the questions.
        undefined: value of a metric that the answers lack, for instance of BLEU-4 while only single words are written
            (what the gold answers or the family lack was refused before the first step; see ``rehearsal``); None
            refuses it here.
    """
    if learning.select_by == selection.LOSS:
        loss_sum = _loss(model, prepared, _own(prepared, processes), learning)
        loss = _mean(processes, loss_sum, prepared)
        return Seen(loss, loss, {})
    predictions, loss_sum = answer_together(model, prepared, processes)
    by = learning.select_by
    values = selection.measure(predictions, [by, *selection.REPORTED], undefined=math.nan)
    measured = {name: value for name, value in values.items() if not math.isnan(value)}
    if by in measured and not learning.select_where:
        value = measured[by]
    else:
        value = selection.measure(_kept(predictions, prepared, learning), [by], undefined=undefined)[by]
    return Seen(_mean(processes, loss_sum, prepared), value, measured)


def answer_together(
    model: VqaModel, prepared: Prepared, processes: Processes, *, with_loss: bool = True
) -> tuple[list[Prediction], float]:
    """Answer every prepared row; the processes share the questions, and each gets all answers.

    Returns:
        the predictions in the rows' order, and the sum of the losses of this process's questions.
    """
    answered, loss_sum = answer_rows(model, prepared, _own(prepared, processes), with_loss=with_loss)
    gathered = dict(processes.gather(list(answered.items())))
    return [gathered[row] for row in range(len(prepared.samples))], loss_sum


def _own(prepared: Prepared, processes: Processes) -> torch.Tensor:
    rows = torch.arange(len(prepared.samples), device=prepared.image_rows.device)
    return torch.cat([rows[:0], *processes.deal(passes(prepared, rows))])


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


def _mean(processes: Processes, total: float, prepared: Prepared) -> float:
    mine = torch.tensor(total, dtype=torch.float64, device=prepared.image_rows.device)
    return processes.sum(mine).item() / max(1, len(prepared.samples))
