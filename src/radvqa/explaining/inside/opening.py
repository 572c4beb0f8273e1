"""Open a trained model for one picture and one question."""

from dataclasses import replace
from typing import Any

from radvqa.data.dataset import Problems
from radvqa.errors import RadvqaError
from radvqa.explaining.inside.opened import Opened
from radvqa.explaining.said import Said
from radvqa.models.family import VqaModel
from radvqa.registry import Registry
from radvqa.sample import Sample

FAMILIES: Registry[Any] = Registry("radvqa.explaining.inside.families", "OPEN")


def can_open(family: str) -> bool:
    """Whether a family can be looked into; of others only black-box methods know something."""
    return family in FAMILIES


def opened(model: VqaModel, family: str, sample: Sample, *, said: Said | None = None) -> Opened:
    """Open a model.

    Args:
        model: trained, in evaluation mode.
        family: its name.
        sample: picture and question.
        said: explain this answer instead of the one that is given.

    Raises:
        RadvqaError: when the picture cannot be read, or the model gives no answer.
    """
    prepared = model.prepare([sample], Problems())
    found: Opened = FAMILIES[family](model, prepared, said)
    if not found.said.tokens:
        raise RadvqaError(f"The model says nothing to {sample.question!r}, so there is no answer to explain.")
    return found


def asked_differently(model: VqaModel, family: str, sample: Sample, question: str, said: Said) -> Opened:
    """Open a model for another question about the same picture, and for the same answer."""
    return opened(model, family, replace(sample, id=f"{sample.id}/asked", question=question), said=said)
