"""Do the pictures reach the model?"""

from collections.abc import Iterator

from radvqa.training.doctor.finding import Finding
from radvqa.training.doctor.patient import Patient

_MOVED = 1e-6  # of the loss; the same computation on the same numbers moves nothing


def pictures_matter(patient: Patient) -> Iterator[Finding]:
    """Losses and written answers move when each question gets another picture."""
    check = "pictures_matter"
    reach = "the pixel values do not reach the model"
    if not patient.effects:
        yield Finding(check, "warning", "All samples show one picture, so nobody knows whether the pictures matter.")
    elif max(patient.effects) <= _MOVED:
        yield Finding(
            check,
            "error",
            f"Other pictures change no loss: {reach} in training. Pass them on to the vision tower and its tokens to "
            f"what reads them.",
        )
    elif patient.effects_in_writing and max(patient.effects_in_writing) <= _MOVED:
        yield Finding(check, "error", f"Other pictures change no written answer: {reach} in generation. Pass them on.")
