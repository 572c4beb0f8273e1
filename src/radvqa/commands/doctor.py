"""``radvqa doctor``: is this model trained as it will be used? Runs before every training, and alone, in seconds."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radvqa import files
from radvqa.commands.prepare import Work, prepare
from radvqa.data.dataset import Problems
from radvqa.errors import RadvqaError
from radvqa.recipe import load_recipe

if TYPE_CHECKING:
    from radvqa.models.family import VqaModel


def doctor(recipe: Path, overrides: Sequence[str] = (), *, skip_bad: bool = False) -> dict[str, Any]:
    """Build the model of a recipe and examine it on a few of its training samples; nothing is written.

    Args:
        recipe: a YAML file, or the name of a recipe that ships with the project.
        overrides: ``key=value``.
        skip_bad: leave unusable rows and pictures out instead of stopping at the first.

    Returns:
        The report of ``examined``.

    Raises:
        RadvqaError: for a recipe, data or weights that cannot be used.
    """
    work = prepare(load_recipe(Path(recipe), overrides), Problems(skip=skip_bad))
    return examined(work, work.build())


def examined(work: Work, model: "VqaModel") -> dict[str, Any]:
    """Examine a model that is about to be trained.

    Returns:
        ``recipe``, ``family``, ``findings`` (check, level, sentence, accepted), ``decoded`` (the looked-at rows as
        the model reads and learns them), ``errors`` and ``warnings`` (names of checks), ``accepted`` (checks whose
        error the recipe accepts) and ``seconds``.
    """
    from radvqa.training.doctor.examine import examine

    accept = work.recipe.training.accept
    # features of frozen towers depend in their last bits on which pictures are computed together: those that the
    # training will use are not computed here
    with tempfile.TemporaryDirectory() as folder, files.cold_cache(Path(folder)):
        found = examine(model, work.learned, Problems(skip=work.problems.skip), modes=work.modes)
    plain = found.as_json()
    for finding in plain["findings"]:
        finding["accepted"] = finding["level"] == "error" and finding["check"] in accept
    return {
        "recipe": work.recipe.name,
        "family": work.recipe.model.family,
        "findings": list(plain["findings"]),
        "decoded": list(plain["decoded"]),
        "errors": [finding.check for finding in found.errors(accept)],
        "warnings": [finding.check for finding in found.findings if finding.level == "warning"],
        "accepted": sorted({finding["check"] for finding in plain["findings"] if finding["accepted"]}),
        "seconds": plain["seconds"],
    }


def require_healthy(report: Mapping[str, Any]) -> None:
    """Refuse to go on with what was found.

    Raises:
        RadvqaError: says every error that the recipe does not accept.
    """
    errors = [f for f in report["findings"] if f["level"] == "error" and not f["accepted"]]
    if errors:
        said = " ".join(f"[{finding['check']}] {finding['sentence']}" for finding in errors)
        raise RadvqaError(
            f"The doctor found {len(errors)} errors in {report['recipe']}: {said} Mend them; what is meant as it is "
            f"can be named in training.accept."
        )
