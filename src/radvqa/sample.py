"""The one record: a question about an image, with all that later clustering, leak checks and slices need."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Task = Literal["vqa", "choice", "caption"]
AnswerType = Literal["OPEN", "CLOSED"]
ANSWER_TYPES: tuple[AnswerType, ...] = get_args(AnswerType)


@dataclass(frozen=True, slots=True)
class Sample:
    """One question–answer pair about one image.

    Attributes:
        id: unique within the data set and version, stable across machines.
        dataset: ``name:version`` of the data set, for instance ``slake:en``.
        split: the split's published name (``train``, ``validate``, ``test``).
        image: the image's name inside the data set; equal names mean the same picture.
        image_path: where the file lies on this machine.
        question: as published.
        answer: as published; numbers are turned into text.
        answer_type: ``OPEN`` or ``CLOSED``, as labelled by the data set.
        question_type: the data set's own content type (``Organ``, ``Position``, ``PRES`` …).
        language: ISO 639-1 code.
        case: patient or case where the data set knows it, else empty.
        organ: body part or organ shown, as labelled; empty when unknown.
        modality: ``CT``, ``MRI``, ``X-Ray`` …; empty when unknown.
        twin: id of the same question about the twin image that differs in one finding; else empty.
        task: ``vqa``, ``choice`` (multiple choice: ``options`` are given), or ``caption``: there is no question, and
            ``answer`` is the caption.
        context: text about the case that comes with the image (history, findings, discussion); else empty.
        options: the choices of a multiple-choice question, in published order; else empty.
        prompt: template that a stage of a curriculum puts in place of the model's own; else empty.
        source: file and row that the sample was read from, for error messages.
    """

    id: str
    dataset: str
    split: str
    image: str
    image_path: Path
    question: str
    answer: str
    answer_type: AnswerType
    question_type: str = ""
    language: str = "en"
    case: str = ""
    organ: str = ""
    modality: str = ""
    twin: str = ""
    task: Task = "vqa"
    context: str = ""
    options: tuple[str, ...] = ()
    prompt: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Region:
    """A labelled part of an image.

    Attributes:
        label: organ or finding, as the data set names it.
        box: ``(left, top, width, height)`` as fractions of the image's width and height, in [0, 1].
        kind: ``organ`` or ``finding``.
        mask: which pixels, ``(rows, columns)`` over the whole image at any resolution; None when only the box
            is known.
    """

    label: str
    box: tuple[float, float, float, float]
    kind: Literal["organ", "finding"] = "organ"
    mask: NDArray[np.bool_] | None = None


def cluster_of(image: str, case: str) -> str:
    """Decide what counts as one independent unit in every statistic: the case where known, else the image."""
    return case or image
