"""``radvqa scaling``: the scaling law of some runs, and what more data would buy."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from radvqa.errors import RadvqaError, nearest
from radvqa.recipe import load_recipe
from radvqa.scaling.fit import fit
from radvqa.scaling.points import Points, told_apart
from radvqa.scaling.runs import AT, DATA, answer_lists, points_of_history, points_of_runs
from radvqa.scaling.summary import summarise
from radvqa.scaling.table import read_points

RESAMPLES = 999

_MEANS = {
    "distinct": "distinct training samples",
    "seen": "training samples seen, repeats counted",
    "step": "optimiser steps",
    "epoch": "epochs",
    "samples": "training samples seen",
    "tokens": "tokens seen",
}


def scaling(
    runs: Sequence[Path] = (),
    *,
    points: Path | None = None,
    by: str | None = None,
    x: str = "trainable_parameters",
    d: str = "distinct",
    t: str | None = None,
    loss: str = "val_loss",
    at: str = "best",
    targets: Sequence[float] = (),
    hold: float | None = None,
    predict: Sequence[str] = (),
    robust: bool = False,
    to_lowest: bool = False,
    resamples: int = RESAMPLES,
    out: Path | None = None,
) -> dict[str, Any]:
    """Fit a scaling law to runs, to the history of one run, or to points from a file.

    Args:
        runs: several finished run folders, a point each, or one run folder, a point for each of its evaluations.
        points: a CSV file with the columns ``loss`` and ``t``, or ``loss`` and ``x``, ``d`` or both, instead of runs.
        by: variables of the law: ``x``, ``d`` or ``x,d``; by default those that were varied.
        x: what X is of a run, see ``radvqa.scaling.runs.points_of_runs``.
        d: what D is of a run: ``distinct`` samples, or ``seen``.
        t: what time is in a history: ``step``, ``epoch``, ``samples`` or ``tokens``.
        loss: column of the histories.
        at: which evaluation of a run: ``best``, ``lowest`` or ``last``.
        targets: losses for which to say what they need.
        hold: the X at which targets are asked for; the largest observed one by default.
        predict: places to predict the loss at, such as ``d=16000`` or ``x=1e6,d=16000``.
        robust: let outliers count less.
        to_lowest: fit a law in one variable only up to the lowest loss.
        resamples: of the bootstrap.
        out: folder for ``scaling.json``, ``scaling.png`` and ``scaling.html``.

    Returns:
        What ``radvqa.scaling.summary.summarise`` says, with the ``source`` of the points.

    Raises:
        RadvqaError: for runs or rows that cannot be used, points that cannot tell the constants apart, or a target at
            or below the fitted floor.
    """
    places = [_place(given) for given in predict]
    found, means, source = _points(runs, points, x=x, d=d, t=t, loss=loss, at=at)
    kept, notes = told_apart(found if by is None else _only(found, by))
    if to_lowest:
        kept = _to_lowest(kept)
    summary = summarise(fit(kept, robust=robust), targets=targets, hold=hold, places=places, resamples=resamples)
    for variable in summary["variables"]:
        variable["means"] = means.get(variable["name"], variable["symbol"])
    dependent = ["The points are evaluations of one run and not independent; the intervals are too narrow for that."]
    summary["warnings"] = [*notes, *summary["warnings"], *(dependent if source["history"] else [])]
    if len(runs) > 1 and (lists := answer_lists([Path(run) for run in runs])):
        summary["warnings"].append(lists)
    result = {"source": {**source, "robust": robust, "resamples": resamples}, **summary}
    if out is not None:
        from radvqa.report.scaling import write_report

        result["out"] = str(write_report(result, Path(out)))
    return result


def grow(
    recipe: Path,
    sizes: Sequence[int],
    *,
    x_values: Sequence[str] = (),
    overrides: Sequence[str] = (),
    out: Path,
    skip_bad: bool = False,
) -> list[Path]:
    """Train a recipe on nested subsets of its training data, a run folder for each.

    Runs that are finished are kept, and one that was interrupted is continued.

    Args:
        recipe: a YAML file, or the name of a recipe that ships with the project.
        sizes: training samples at most, a run for each; pictures are taken whole, so that a run may have fewer.
        x_values: keys of the recipe and their values, such as ``lora.r=4,8,16``; every size is trained with each.
        overrides: of the recipe, for all runs.
        out: folder of the run folders.
        skip_bad: leave unusable rows and pictures out.

    Returns:
        The run folders.

    Raises:
        RadvqaError: for too few runs to fit a law to, or what ``train`` raises.
    """
    from radvqa import console
    from radvqa.commands.train import train

    varied = [_values(given) for given in x_values]
    planned = [
        (f"data.cap={size}", *(f"{key}={value}" for key, value in zip(dict(varied), values, strict=True)))
        for values in itertools.product(*(values for _, values in varied))
        for size in sizes
    ]
    wanted = 5 if varied else 4
    if len(set(planned)) < wanted or len(set(sizes)) < 3:
        raise RadvqaError(
            f"{len(set(planned))} runs on {len(set(sizes))} sizes are too few to fit a law to; "
            f"give {'3' if varied else '4'} --sizes and {wanted} runs at least."
        )
    for size in sizes:
        if size < 1:
            raise RadvqaError(f"--sizes: {size} samples teach nothing; give numbers above 0.")
    folders = []
    for number, changes in enumerate(dict.fromkeys(planned), start=1):
        place = Path(out) / re.sub(r"[^A-Za-z0-9_.=-]+", "_", "-".join(change.split("data.")[-1] for change in changes))
        console.say(f"scaling: run {number} of {len(set(planned))}, {' '.join(changes)}")
        folders.append(train(recipe, [*overrides, *changes], out=place, skip_bad=skip_bad).folder)
    return folders


def default_folder(recipe: Path, overrides: Sequence[str] = ()) -> Path:
    """Return the folder for the runs of a recipe: ``scaling/NAME``.

    Raises:
        RecipeError: when there is no such recipe.
    """
    return Path("scaling") / load_recipe(Path(recipe), overrides).name


def whole_numbers(option: str, given: str) -> list[int]:
    """Read whole numbers with commas.

    Raises:
        RadvqaError: names the one that is none.
    """
    found = []
    for text in given.split(","):
        try:
            found.append(int(text))
        except ValueError:
            raise RadvqaError(f"{option}: {text.strip()!r} is no whole number; write 250,500,1000.") from None
    return found


def _points(
    runs: Sequence[Path], points: Path | None, *, x: str, d: str, t: str | None, loss: str, at: str
) -> tuple[Points, dict[str, str], dict[str, Any]]:
    """Return the points, what their variables mean, and where they come from."""
    if bool(runs) == (points is not None):
        raise RadvqaError("Name run folders, or --points FILE.csv, and not both.")
    for option, value, known in (("--d", d, DATA), ("--at", at, AT)):
        if value not in known:
            raise RadvqaError(f"{option} {value}: {nearest(value, list(known))}")
    if points is not None:
        return read_points(Path(points)), {}, {"points": str(points), "loss": "loss", "history": False}
    named = {"runs": [str(run) for run in runs], "loss": loss, "history": len(runs) == 1}
    if len(runs) == 1:
        found, time = points_of_history(Path(runs[0]), t=t, loss=loss)
        return found, {"t": _MEANS[time]}, named
    means = {"x": x.replace("_", " "), "d": _MEANS[d]}
    return points_of_runs([Path(run) for run in runs], x=x, d=d, loss=loss, at=at), means, {**named, "at": at}


def _only(points: Points, by: str) -> Points:
    names = [name.strip() for name in by.split(",")]
    unknown = [name for name in names if name not in points.names]
    if unknown:
        raise RadvqaError(f"--by {by}: these points have {' and '.join(points.names)}, not {unknown[0]!r}.")
    chosen = [j for j, name in enumerate(points.names) if name in names]
    return Points(tuple(points.names[j] for j in chosen), points.variables[:, chosen], points.loss, points.labels)


def _to_lowest(points: Points) -> Points:
    if len(points.names) > 1:
        raise RadvqaError("--to-lowest is for a law in one variable; choose it with --by d or --by x.")
    return told_apart(points.to_lowest())[0]


def _place(given: str) -> dict[str, float]:
    place = {}
    for part in given.split(","):
        name, _, text = part.partition("=")
        try:
            place[name.strip().lower()] = float(text)
        except ValueError:
            raise RadvqaError(f"--predict {given}: expected d=16000, x=1e6,d=16000 or t=20.") from None
    return place


def _values(given: str) -> tuple[str, list[str]]:
    key, _, text = given.partition("=")
    values = [value.strip() for value in text.split(",")]
    if not key or not all(values):
        raise RadvqaError(f"--x-values {given}: expected KEY=VALUE,VALUE, for instance lora.r=4,8,16.")
    return key, values
