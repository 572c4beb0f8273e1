"""A model and samples in, prediction lines out."""

import torch

from radvqa.models.family import Prepared, VqaModel
from radvqa.prediction import Prediction, from_sample

_ROWS_PER_PASS = 256


def answer_prepared(model: VqaModel, prepared: Prepared, *, with_loss: bool = True) -> tuple[list[Prediction], float]:
    """Answer every prepared row; returns the predictions in the rows' order and the mean loss (0 without it).

    Questions about one picture are answered in one pass, wherever they stand in the data set.
    """
    predictions: dict[int, Prediction] = {}
    loss = 0.0
    by_picture = torch.argsort(prepared.image_rows, stable=True)
    for rows in torch.split(by_picture, _ROWS_PER_PASS):
        answered = model.answer(prepared, rows, with_loss=with_loss)
        loss += answered.loss_sum
        for row, answer in zip(rows.tolist(), answered.answers, strict=True):
            sample = prepared.samples[row]
            predictions[row] = from_sample(
                sample,
                answer.text,
                answer_seen=model.answer_is_known(sample.answer),
                confidence=answer.confidence,
                candidates=answer.candidates,
            )
    return [predictions[row] for row in range(len(predictions))], loss / max(1, len(predictions))
