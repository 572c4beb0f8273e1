"""``radvqa ask``: one picture, some questions, an answer to each or the reason why there is none."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radvqa.asking import LAST, NOTICE, STARTER, last_run, sample_of
from radvqa.data import image
from radvqa.errors import RadvqaError

if TYPE_CHECKING:
    from radvqa.run import Run


def ask(
    picture: Path, question: str, *, model: str | os.PathLike[str] | None = None, device: str = "auto"
) -> dict[str, Any]:
    """Ask a question about a picture.

    Args:
        picture: an image file; of DICOM and NIfTI one frame or slice may be addressed (``scan.dcm#frame=3``).
        question: in the language that the model was trained on; English for the starter model.
        model: ``starter``, the small model that comes with the package and the default; ``last``, the run that was
            trained last below ``runs/``; or a finished run folder (one of these names as ``./NAME``).
        device: ``auto``, ``cpu`` or ``cuda``; the starter model always computes on the CPU.

    Returns:
        ``question``; ``answer``, null when the model abstains; ``abstained``, the reason in a sentence, or null;
        ``confidence`` in [0, 1] (null when the model tells none) and ``candidates`` (answer and probability, best
        first), which are those of a guess when the model abstains; ``model`` and a ``notice``.

    Raises:
        RadvqaError: when the picture cannot be decoded, the question is empty, or there is no such model.
    """
    return ask_several(picture, [question], model=model, device=device)[0]


def ask_several(
    picture: Path, questions: Sequence[str], *, model: str | os.PathLike[str] | None = None, device: str = "auto"
) -> list[dict[str, Any]]:
    """Ask several questions about one picture, which is looked at once; arguments and values are those of ``ask``.

    Raises:
        RadvqaError: as ``ask``.
    """
    for question in questions:
        if not question.strip():
            raise RadvqaError("The question is empty; ask for instance 'Which organ is shown?'.")
    pixels = image.decode(Path(picture))
    if model is None or model == STARTER:
        return ask_pixels(pixels, questions)
    from radvqa.run import Run

    return _ask_run(last_run(Path("runs")) if model == LAST else Run(Path(model)), picture, questions, device)


def ask_pixels(pixels: image.Pixels, questions: Sequence[str]) -> list[dict[str, Any]]:
    """Ask the starter model about a decoded picture; the values are those of ``ask``."""
    from radvqa.starter.model import Starter

    starter = Starter.load()
    answers = [starter.answer(pixels, question) for question in questions]
    return [
        {
            "question": question,
            "answer": None if said.abstained else said.answer,
            "abstained": said.abstained,
            "confidence": said.confidence,
            "candidates": [{"answer": answer, "probability": p} for answer, p in said.candidates],
            "model": STARTER,
            "notice": NOTICE,
        }
        for question, said in zip(questions, answers, strict=True)
    ]


def _ask_run(run: "Run", picture: Path, questions: Sequence[str], device: str) -> list[dict[str, Any]]:
    run.require_model()
    from radvqa import device as devices
    from radvqa.answering import answer_prepared
    from radvqa.data.dataset import Problems
    from radvqa.models.checkpoint import load_model

    loaded = load_model(run.checkpoints, devices.choose(device))
    samples = [sample_of(picture, question, f"ask/{number}") for number, question in enumerate(questions)]
    predictions, _ = answer_prepared(loaded, loaded.prepare(samples, Problems()))
    return [
        {
            "question": answered.question,
            "answer": answered.prediction,
            "abstained": None,
            "confidence": answered.confidence,
            "candidates": [{"answer": answer, "probability": p} for answer, p in answered.candidates],
            "model": run.name,
            "notice": NOTICE,
        }
        for answered in predictions
    ]
