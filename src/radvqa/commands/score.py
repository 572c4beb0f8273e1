"""``radvqa score``: from a run's predictions, or from any predictions file, to scores."""

from pathlib import Path
from typing import Any

from radvqa.errors import DataError
from radvqa.prediction import read_predictions
from radvqa.run import Run
from radvqa.scoring import scorer


def score(run_or_predictions: Path, *, data: str | None = None, split: str | None = None) -> dict[str, Any]:
    """Score a run, and write the scores into it; or score a predictions file, and write nothing.

    Args:
        run_or_predictions: a run folder, or a file of JSON lines as ``radvqa predict`` writes it.
        data: data set that was answered; by default the recipe's own. For a file it says which published results
            to list.
        split: split that was answered; by default the recipe's own test split.

    Returns:
        The scores, as ``scorer.score`` describes them.

    Raises:
        RunError: when the folder is no run, is not finished, or has no predictions on that data set and split.
        DataError: when the path does not exist or the file holds no predictions.
    """
    path = Path(run_or_predictions)
    if path.is_file():
        return scorer.score(read_predictions(path), dataset=data or "", split=split or "")
    if not path.is_dir():
        raise DataError(f"{path} does not exist; name a run folder or a predictions file.")
    run = Run(path)
    run.require_finished()
    answers = run.answers(data, split)
    scores = scorer.score(
        run.predictions(answers), baselines=run.baselines(answers), dataset=answers.dataset, split=answers.split
    )
    run.write_scores(answers, scores)
    return scores
