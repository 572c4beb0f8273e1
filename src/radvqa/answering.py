"""A model and samples in, prediction lines out."""

import torch

from radvqa.models.family import Prepared, VqaModel
from radvqa.prediction import Prediction, from_sample

_ROWS_PER_PASS = 256


def answer_prepared(model: VqaModel, prepared: Prepared) -> tuple[list[Prediction], float]:
    """Answer every prepared row; returns the predictions in order and the mean loss."""
    predictions: list[Prediction] = []
    loss = 0.0
    device = prepared.image_rows.device
    for rows in torch.split(torch.arange(len(prepared.samples), device=device), _ROWS_PER_PASS):
        answered = model.answer(prepared, rows)
        loss += answered.loss_sum
        for row, answer in zip(rows.tolist(), answered.answers, strict=True):
            sample = prepared.samples[row]
            predictions.append(
                from_sample(
                    sample,
                    answer.text,
                    answer_seen=model.answer_is_known(sample.answer),
                    confidence=answer.confidence,
                    candidates=answer.candidates,
                )
            )
    return predictions, loss / max(1, len(predictions))
