"""Is the answer to a question its own, whatever stands beside it in the batch?"""

from collections.abc import Iterator

import torch
from torch import Tensor

from radvqa.models.family import ModelAnswer
from radvqa.training.doctor.finding import Finding, named
from radvqa.training.doctor.patient import Patient, writes


def answers_are_their_own(patient: Patient) -> Iterator[Finding]:
    """The same answers alone, together, in reverse, and beside the longest question."""
    few = patient.few
    alone = [patient.answers(row[None])[0] for row in few]
    wrong: dict[str, list[str]] = {}
    for way, answers in {
        "together": patient.answers(few),
        "reversed": patient.answers(few.flip(0))[::-1],
        "beside the longest question": patient.answers(patient.rows)[: len(few)],
    }.items():
        for sample, own, other in zip(patient.samples, alone, answers, strict=True):
            if _differ(own, other, patient.tolerance):
                told = f"{_shown(own)} alone, {_shown(other)} {way}"
                wrong.setdefault(sample.id, []).append(told)
    if not wrong and writes(patient.model):
        wrong = _told_by_probabilities(patient)
    if wrong:
        examples = [f"{sample}: {told[0]}" for sample, told in wrong.items()]
        yield Finding(
            "answers_are_their_own",
            "error",
            f"{len(wrong)} of {len(few)} answers depend on the other questions of the batch ({named(examples, 1)}): "
            f"mask the padding of prompts in generation too, and keep normalisation in evaluation mode.",
        )


def losses_are_their_own(patient: Patient) -> Iterator[Finding]:
    """The mean loss of single questions is the loss of all of them together."""
    alone = patient.losses(patient.prepared, patient.few)
    patient.model.module.eval()
    with torch.no_grad():
        together = patient.model.loss(patient.prepared, patient.few).loss.item()
    mean = sum(alone) / len(alone)
    if abs(mean - together) > patient.tolerance * max(1.0, abs(mean)):
        yield Finding(
            "losses_are_their_own",
            "error",
            f"The mean loss of the questions alone is {mean:.4f}, together it is {together:.4f}: padding takes part "
            f"in the loss, or is seen by what is real.",
        )


def _told_by_probabilities(patient: Patient) -> dict[str, list[str]]:
    """What the probabilities of written answers tell that their texts do not: they move before the texts do."""
    few = patient.few
    alone = _log_probabilities(patient, [row[None] for row in few])
    beside = _log_probabilities(patient, [patient.rows])[: len(few)]
    return {
        sample.id: [f"log-probability {own:.4f} alone, {other:.4f} beside the longest question"]
        for sample, own, other in zip(patient.samples, alone, beside, strict=True)
        if abs(own - other) > patient.tolerance * max(1.0, abs(own))
    }


def _log_probabilities(patient: Patient, batches: list[Tensor]) -> list[float]:
    return [one.log_probability for rows in batches for one in patient.written(rows)]


def _differ(own: ModelAnswer, other: ModelAnswer, tolerance: float) -> bool:
    if own.text != other.text or own.confidence is None or other.confidence is None:
        return own.text != other.text
    return abs(own.confidence - other.confidence) > tolerance


def _shown(answer: ModelAnswer) -> str:
    return repr(answer.text) + (f" ({answer.confidence:.3f})" if answer.confidence is not None else "")
