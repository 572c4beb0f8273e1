"""``radvqa quickstart``: an answer at once, and a trained, honestly scored and shown model in a few minutes."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from radvqa import console
from radvqa.commands.predict import predict
from radvqa.commands.score import score
from radvqa.commands.train import train
from radvqa.errors import RecipeError, nearest
from radvqa.run import Run

RECIPES = {"phantom": "phantom_cnn_lstm", "slake": "slake_cnn_lstm"}
"""What quickstart trains on each data set."""

_PHANTOMS, _SEED = 60, 0


def quickstart(
    data: str = "phantom", overrides: Sequence[str] = (), *, out: Path | None = None
) -> tuple[Run, dict[str, Any]]:
    """Ask the starter model; make data, train a CNN-LSTM, score it against baselines, and write ``report.html``.

    Args:
        data: ``phantom``, which needs nothing, or ``slake``, which needs ``RADVQA_DATA``.
        overrides: ``key=value`` of the recipe.
        out: the run folder; ``runs/quickstart-DATA`` by default, with a number when that one is taken.

    Returns:
        The run, and its scores.

    Raises:
        RadvqaError: when the data or the weights cannot be had.
    """
    from radvqa.report.html import write_report

    name = data.partition(":")[0]
    if name not in RECIPES:
        raise RecipeError(f"quickstart has no recipe for {data!r}; {nearest(data, list(RECIPES))}")
    folder = Path(out) if out else _free(Path("runs") / f"quickstart-{name}")
    for line in first_look():
        console.say(line)
    started = time.monotonic()

    def step(number: int, what: str) -> None:
        console.say(f"[{number}/4, {time.monotonic() - started:3.0f} s] {what}")

    step(1, f"preparing {name} and training {RECIPES[name]}")
    run = train(Path(RECIPES[name]), overrides, out=folder)
    step(2, "answering the test questions, once")
    predict(folder)
    step(3, "scoring against the trivial baselines")
    scores = score(folder)
    step(4, "writing report.html")
    write_report([folder], folder / "report.html")
    return run, scores


def first_look() -> list[str]:
    """Ask the starter model about a phantom chest film, and set the truth beside what it says.

    The model was trained on real pictures, and no phantom was among them: it may be wrong or abstain.
    """
    from radvqa.commands.ask import ask_pixels
    from radvqa.phantom import plan, study
    from radvqa.report.asked import line

    film = next(c for c in plan.plan(_PHANTOMS, _SEED) if (c.modality, c.region) == ("X-Ray", "Chest"))
    picture = study.make(film, _SEED)[0]
    truth = {
        "What modality is used to take this image?": film.modality,
        "Which part of the body does this image belong to?": film.region,
        "Does the picture contain lung?": "Yes",
        "Does the picture contain kidney?": "No",
    }
    answers = ask_pixels(picture.pixels, list(truth))
    return [
        "The starter model, which was trained on real pictures, is asked about a drawn chest film (a phantom):",
        *(f"  {asked['question']} {line(asked)}; true: {truth[asked['question']]}" for asked in answers),
        answers[0]["notice"],
    ]


def next_steps(run: Run) -> list[str]:
    """Say what to try next, as shell commands."""
    dataset = run.recipe["data"]["name"]
    picture = next(iter(sorted(run.examples.glob("*.png"))), None)
    lines = [
        f"Look at it:        open {run.folder / 'report.html'} in a browser",
        f"Ask it:            radvqa ask {picture} 'Which modality is this?' --model {run.folder}",
        "Ask the starter:   radvqa ask YOUR_IMAGE 'What modality is used to take this image?'",
        f"Another seed:      radvqa quickstart --data {dataset.partition(':')[0]} seed=1",
        f"Compare two runs:  radvqa compare {run.folder} OTHER_RUN --html comparison.html",
    ]
    if dataset.startswith("phantom"):
        lines.append("Real data:         RADVQA_DATA=/path/to/data radvqa quickstart --data slake")
    return lines


def _free(folder: Path) -> Path:
    """Return the folder, or the first ``folder-N`` that holds no finished run."""
    candidate, number = folder, 1
    while (candidate / "run.json").is_file() and Run(candidate).finished:
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate
