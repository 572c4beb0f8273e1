"""The examination: every check on one model and a few of its training samples, in seconds.

Source of what is looked for: the silent bugs of the published systems that this project grew from (label padding
that carries loss, another first token in generation than in training, ignored padding masks, batch norm that drifts
in frozen towers, prompts left in predictions, pictures that are not passed on, labels of another length).
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from radvqa.data.dataset import Problems
from radvqa.errors import RecipeError, nearest
from radvqa.models.classifier import AnswerClassifier
from radvqa.models.family import VqaModel
from radvqa.models.generator import Generator
from radvqa.sample import Sample
from radvqa.training.doctor import labels, learning, neighbours, pictures, writing
from radvqa.training.doctor.finding import Finding
from radvqa.training.doctor.labels import Decoded
from radvqa.training.doctor.patient import Patient, admit, writes
from radvqa.training.doctor.restore import untouched
from radvqa.training.doctor.trial import learn_by_heart


@dataclass(frozen=True)
class Check:
    """One thing that is looked at.

    Attributes:
        name: as findings and ``training.accept`` call it.
        says: what holds when nothing is found.
        look: yields what is wrong, or what there is to say.
        of: kinds of models that it applies to; empty for all.
    """

    name: str
    says: str
    look: Callable[[Patient], Iterable[Finding]]
    of: tuple[type, ...] = ()


LABELS_FIT = Check(
    "labels_fit_inputs",
    "Every position has one label, and the next input is what had to be written.",
    labels.labels_fit,
    (Generator,),
)

BEFORE = (
    Check(
        "labels_decode_to_gold",
        "The labels decode to the gold answers.",
        labels.labels_decode,
        (Generator, AnswerClassifier),
    ),
    Check("pads_carry_no_loss", "Padding carries no loss.", labels.pads_are_silent, (Generator,)),
    Check("prompts_carry_no_loss", "Prompts and image tokens carry no loss.", labels.prompts_are_silent, (Generator,)),
    Check("end_is_learned", "Every answer and its end are learned.", labels.end_is_learned, (Generator,)),
    Check("pictures_are_whole", "No image token is cut off.", labels.pictures_are_whole, (Generator,)),
    Check("answers_fit_the_limit", "Every gold answer can be written whole.", labels.long_answers, (Generator,)),
    Check(
        "generation_starts_as_training",
        "The first token is learned and written after the same token.",
        writing.starts_alike,
        (Generator,),
    ),
)
"""Looked at before anything is learned."""

AFTER = (
    Check("trained_parts_learn", "A gradient reaches every trained part, and it moves.", learning.learned_parts_learn),
    Check("frozen_is_frozen", "Frozen weights and their statistics stay as they are.", learning.frozen_stays),
    Check("few_samples_are_learned", "A few samples can be learned by heart.", learning.few_are_learned),
    Check(
        "answers_as_learned",
        "Answers are what training finds likeliest.",
        writing.teacher_agrees,
        (Generator, AnswerClassifier),
    ),
    Check("prompt_not_in_answer", "No answer holds the prompt.", writing.prompt_stays_out, (Generator,)),
    Check(
        "answers_are_their_own",
        "Answers do not depend on the other questions of a batch.",
        neighbours.answers_are_their_own,
    ),
    Check(
        "losses_are_their_own",
        "Losses do not depend on the other questions of a batch.",
        neighbours.losses_are_their_own,
    ),
    Check("pictures_matter", "Another picture changes the loss.", pictures.pictures_matter),
)
"""Looked at after a few samples were learned by heart."""

CHECKS = {check.name: check for check in (LABELS_FIT, *BEFORE, *AFTER)}


@dataclass(frozen=True)
class Examination:
    """What was found.

    Attributes:
        findings: one or more of each check that applies to the model, in order.
        decoded: the looked-at rows as the model reads and learns them.
        seconds: wall time.
    """

    findings: tuple[Finding, ...]
    decoded: tuple[Decoded, ...]
    seconds: float

    def errors(self, accepted: Sequence[str] = ()) -> list[Finding]:
        """Errors that the recipe does not accept."""
        return [found for found in self.findings if found.level == "error" and found.check not in accepted]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def check_accepted(names: Sequence[str]) -> None:
    """Refuse an unknown check before anything is read.

    Raises:
        RecipeError: names the nearest check.
    """
    for name in names:
        if name not in CHECKS:
            raise RecipeError(f"training.accept: the doctor has no check {name!r}; {nearest(name, list(CHECKS))}")


def examine(
    model: VqaModel, samples: Sequence[Sample], problems: Problems, *, modes: Mapping[str, str] | None = None
) -> Examination:
    """Run every check; the model and all random states are afterwards what they were.

    Args:
        model: as it will be trained.
        samples: that it will be trained on; a few are used.
        problems: where unusable pictures are reported.
        modes: part → ``frozen``, ``lora`` or ``full``, where the recipe says so.
    """
    started = time.perf_counter()
    if next(model.module.parameters(), None) is None:
        nothing = Finding("few_samples_are_learned", "ok", "The model has no weights; there is nothing to examine.")
        return Examination((nothing,), (), 0.0)
    with untouched(model) as start:
        patient = admit(model, samples, problems, modes or {})
        table = labels.decoded(patient)
        findings = _look([LABELS_FIT], patient)
        if not writes(model) or labels.shapes_fit(patient):
            findings += _look(BEFORE, patient)
            patient.look_at_other_pictures()
            patient.trial = learn_by_heart(model, patient.prepared, patient.few, start)
            patient.look_at_other_pictures()
            findings += _look(AFTER, patient)
    return Examination(tuple(findings), tuple(table), round(time.perf_counter() - started, 3))


def _look(checks: Iterable[Check], patient: Patient) -> list[Finding]:
    findings = []
    for check in checks:
        if not check.of or isinstance(patient.model, check.of):
            findings += list(check.look(patient)) or [Finding(check.name, "ok", check.says)]
    return findings
