"""``radvqa ask``: one picture, one question, one answer."""

import os
from pathlib import Path
from typing import Any

from radvqa.data import image
from radvqa.data.dataset import Problems
from radvqa.errors import RadvqaError
from radvqa.run import Run
from radvqa.sample import Sample

NOTICE = "For research only, not for diagnosis."


def ask(picture: Path, question: str, *, model: Path | None = None, device: str = "auto") -> dict[str, Any]:
    """Ask a trained run a question about a picture.

    Args:
        picture: an image file; of DICOM and NIfTI one frame or slice may be addressed (``scan.dcm#frame=3``).
        question: in the language that the run was trained on.
        model: a finished run folder; by default the one that was trained last below ``runs/``.
        device: ``auto``, ``cpu`` or ``cuda``.

    Returns:
        ``answer``, ``confidence`` in [0, 1] (null when the model tells none), ``candidates`` (answer and
        probability, best first), ``model`` and a ``notice``.

    Raises:
        RadvqaError: when the picture cannot be decoded, the question is empty, or there is no usable run.
    """
    if not question.strip():
        raise RadvqaError("The question is empty; ask for instance 'Which organ is shown?'.")
    image.decode(Path(picture))
    run = Run(Path(model)) if model else last_run(Path("runs"))
    run.require_finished()
    from radvqa import device as devices
    from radvqa.answering import answer_prepared
    from radvqa.models.checkpoint import load_model

    loaded = load_model(run.checkpoints, devices.choose(device))
    sample = Sample(
        id="ask",
        dataset="",
        split="",
        image=Path(picture).name,
        image_path=Path(os.path.abspath(picture)),  # noqa: PTH100 - a link's own name is kept
        question=question,
        answer="",
        answer_type="OPEN",
        source=f"the question {question!r}",
    )
    predictions, _ = answer_prepared(loaded, loaded.prepare([sample], Problems()))
    answered = predictions[0]
    return {
        "question": question,
        "answer": answered.prediction,
        "confidence": answered.confidence,
        "candidates": [{"answer": answer, "probability": p} for answer, p in answered.candidates],
        "model": run.name,
        "notice": NOTICE,
    }


def last_run(folder: Path) -> Run:
    """Return the finished run below a folder that was trained last.

    Raises:
        RadvqaError: when there is none.
    """
    runs = [Run(path.parent) for path in sorted(folder.glob("*/run.json"))]
    finished = [run for run in runs if run.finished]
    if not finished:
        raise RadvqaError(f"There is no finished run in {folder}/; `radvqa quickstart` or `radvqa train` makes one.")
    return max(finished, key=lambda run: str(run.facts.get("ended", "")))
