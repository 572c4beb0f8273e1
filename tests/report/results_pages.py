"""Runs with as many right answers as a test wants, and page files about them."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from radvqa import files
from radvqa.report.results_page.page import Written, make_page
from radvqa.run import Run
from radvqa.scoring.scorer import score
from report_runs import make_run

QUESTIONS = 80
"""Of every run here: five about each of 16 pictures, in this order."""


def answering(
    folder: Path,
    wrong: int | Collection[int] = 0,
    *,
    seed: int = 0,
    name: str = "cnn_lstm",
    changed: Mapping[str, Any] | None = None,
    split: str | None = None,
    **options: Any,
) -> Run:
    """Make a run that answers all questions correctly but some.

    Args:
        folder: where.
        wrong: numbers of the questions that are wrong, or how many from the first on.
        seed: of the recipe.
        name: of the recipe.
        changed: dotted keys of the recipe and their values.
        split: that is answered, in place of the test split.
        options: of ``make_run``.
    """
    run = make_run(folder, name=name, seed=seed, scored=False, **options)
    missed = set(range(wrong)) if isinstance(wrong, int) else set(wrong)
    answers, made = run.answers(split=split), run.answers()
    given = [
        replace(p, prediction="Nothing of it" if number in missed else p.answer)
        for number, p in enumerate(run.predictions(made))
    ]
    kept = run.baselines(made)
    if split:
        (run.folder / made.file("predictions", "jsonl")).unlink()
    run.write_answers(answers, given, {n: [replace(p, prediction=a[p.id]) for p in given] for n, a in kept.items()})
    recipe = run.recipe
    for key, value in (changed or {}).items():
        place = recipe
        *parts, last = key.split(".")
        for part in parts:
            place = place.setdefault(part, {})
        place[last] = value
    files.write_text(run.folder / "recipe.yaml", yaml.safe_dump(recipe, sort_keys=False))
    run.write_scores(answers, score(given, baselines=kept, dataset=answers.dataset, split=answers.split, resamples=200))
    return run


def probed(run: Run, before: float, after: float) -> None:
    """Leave what ``radvqa probe --only blank`` leaves."""
    drop = round(before - after, 6)
    found = {"name": "blank", "title": "Blank picture", "group": "no picture", "n": QUESTIONS, "clusters": 16}
    found |= {"accuracy_before": before, "accuracy": after, "drop": drop, "drop_interval": [drop - 0.1, drop + 0.1]}
    files.write_json(run.folder / "probes.json", {"probes": [found], "limit": None})


def row(label: str, runs: str, **more: Any) -> dict[str, Any]:
    """A row of a page file."""
    return {"label": label, "runs": runs, **more}


def page(folder: Path, *sections: Mapping[str, Any], partial: bool = False) -> Written:
    """Write a page file about the runs of a folder, and make the page."""
    file = write(folder, *sections)
    return make_page(file, folder / "runs", folder / "results.md", partial=partial)


def write(folder: Path, *sections: Mapping[str, Any]) -> Path:
    """Write a page file."""
    path = folder / "results.yaml"
    files.write_text(path, yaml.safe_dump({"sections": [dict(section) for section in sections]}, allow_unicode=True))
    return path


def cells(text: str, first: str) -> list[str]:
    """Return the cells of the first row of a Markdown page that begins with a text, behind its first."""
    line = next(line for line in text.splitlines() if line.startswith((f"| {first} ", f"| **{first}**")))
    return [cell.strip().strip("*") for cell in line.removeprefix("|").removesuffix("|").split("|")[1:]]
