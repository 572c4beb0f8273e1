"""A question about a picture that is in no data set, and the models that have a name."""

import os
from pathlib import Path

from radvqa.errors import RadvqaError
from radvqa.run import Run
from radvqa.sample import Sample

NOTICE = "For research only, not for diagnosis."
STARTER, LAST = "starter", "last"
"""Models that have a name: the one that comes with the package, and the last run below ``runs/``."""


def sample_of(picture: Path, question: str, name: str) -> Sample:
    """A question about an image file that is in no data set, under a name."""
    return Sample(
        id=name,
        dataset="",
        split="",
        image=Path(picture).name,
        image_path=Path(os.path.abspath(picture)),  # noqa: PTH100 - a link's own name is kept
        question=question,
        answer="",
        answer_type="OPEN",
        source=f"the question {question!r}",
    )


def last_run(folder: Path) -> Run:
    """Return the finished run below a folder that was trained last.

    Raises:
        RadvqaError: when there is none.
    """
    runs = [Run(path.parent) for path in sorted(folder.glob("*/run.json"))]
    finished = [run for run in runs if run.finished and run.has_model]
    if not finished:
        raise RadvqaError(
            f"There is no finished run in {folder}/; `radvqa quickstart` or `radvqa train` makes one. Without --model "
            f"the starter model answers, which needs none."
        )
    return max(finished, key=lambda run: str(run.facts.get("ended", "")))
