"""A model and samples in, prediction lines out."""

import torch
from torch import Tensor

from radvqa.models.family import Prepared, VqaModel
from radvqa.prediction import Prediction, from_sample

_ROWS_PER_PASS = 64  # a pass is never cut, so that an answer does not depend on how many processes answer


def answer_prepared(model: VqaModel, prepared: Prepared, *, with_loss: bool = True) -> tuple[list[Prediction], float]:
    """Answer every prepared row; returns the predictions in the rows' order and the mean loss (0 without it)."""
    rows = torch.arange(len(prepared.samples), device=prepared.image_rows.device)
    predictions, loss = answer_rows(model, prepared, rows, with_loss=with_loss)
    return [predictions[row] for row in range(len(predictions))], loss / max(1, len(predictions))


def passes(prepared: Prepared, rows: Tensor) -> list[Tensor]:
    """Cut rows into those that are answered at once; questions about one picture stand side by side.

    Several processes answer whole passes, each of them as one process would: how many rows are computed at once may
    change the last bits of a result.
    """
    by_picture = rows[torch.argsort(prepared.image_rows[rows], stable=True)]
    return list(torch.split(by_picture, _ROWS_PER_PASS)) if len(rows) else []


def answer_rows(
    model: VqaModel, prepared: Prepared, rows: Tensor, *, with_loss: bool = True
) -> tuple[dict[int, Prediction], float]:
    """Answer some rows; questions about one picture are answered in one pass, wherever they stand in the data set.

    Args:
        model: answers.
        prepared: holds the rows.
        rows: wanted ones, ``(b,)``.
        with_loss: compute the loss too.

    Returns:
        the prediction of each row, and the sum of their losses (0 without it).
    """
    predictions: dict[int, Prediction] = {}
    loss = 0.0
    for part in passes(prepared, rows):
        answered = model.answer(prepared, part, with_loss=with_loss)
        loss += answered.loss_sum
        for row, answer in zip(part.tolist(), answered.answers, strict=True):
            sample = prepared.samples[row]
            predictions[row] = from_sample(
                sample,
                answer.text,
                answer_seen=model.answer_is_known(sample.answer),
                confidence=answer.confidence,
                candidates=answer.candidates,
            )
    return predictions, loss
