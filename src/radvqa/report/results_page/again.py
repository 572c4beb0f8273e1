"""The commands that make a run again, from the recipe, overrides and seed that its folder records."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from radvqa import files
from radvqa.errors import RadvqaError
from radvqa.recipe import load_recipe, shipped_recipes
from radvqa.report.results_page.plan import Runs
from radvqa.report.scored import Scored
from radvqa.run import ENSEMBLE

RUNS = "runs"
"""What the page calls the folder of the run folders, wherever it is."""

_MOST = 12  # overrides of a command; beyond them it is another recipe
_LEFT_OUT = (
    ("name",),
    ("title",),
    ("notes",),
    ("reproduces",),
    ("data", "file"),
    *(("training", key) for key in ("checkpoint_seconds", "trackers", "log_every", "device", "threads")),
)
"""Keys that change nothing in what a run comes to, but on which machine and how fast."""

Place = tuple[str, ...]
Fill = Callable[[Path, Sequence[str]], Mapping[str, Any]]
"""Reads a recipe, puts overrides into it, and fills in its defaults; as far as its caller knows them."""


def fill_recipe(recipe: Path, changes: Sequence[str] = ()) -> Mapping[str, Any]:
    """Fill in every default but the model's own, which only its family knows."""
    return load_recipe(recipe, changes).resolved()


def command(row: Runs, name: str, run: Scored | None, fill: Fill = fill_recipe) -> str:
    """Return one line that makes a run: trained, the split answered that the page shows, and scored.

    Args:
        row: where the page file names the run.
        name: of the run folder, below the folder of the runs.
        run: the run; None when it is not there yet.
        fill: fills in recipes.
    """
    folder = f"{RUNS}/{name}"
    seed = _seed(name) if run is None else run.seed
    if row.commands:
        return " && ".join(_filled(line, folder, seed) for line in row.commands)
    if run is None:
        seeded = () if seed is None else (f"seed={seed}",)
        recipe = row.recipe or "RECIPE"
        return _line(_spelled(_file(row.recipe)) or recipe, (*row.overrides, *seeded), folder, split=row.split)
    if run.run is None:
        return f"radvqa score {folder}"
    if run.recipe.get("model", {}).get("family") == ENSEMBLE:
        members = [f"{RUNS}/{member['run']}" for member in run.provenance.get("members") or []]
        return f"radvqa ensemble {' '.join(members) or 'RUN RUN'} --out {folder} && radvqa score {folder}"
    file = _file(row.recipe) or _shipped().get(str(run.recipe.get("name")))
    changes = None if file is None else overrides(file, run.run.folder / "recipe.yaml", fill)
    skip = " --skip-bad" if run.facts.get("left_out") else ""
    if file is None or changes is None:
        return _line(f"{folder}/recipe.yaml", (), f"{folder}-again", skip, row.split)
    return _line(_spelled(file), changes, folder, skip, row.split)


def _line(recipe: str, changes: Sequence[str], folder: str, skip: str = "", split: str = "") -> str:
    said = " ".join(["radvqa train", shlex.quote(recipe), *(shlex.quote(change) for change in changes)])
    of = f" --split {shlex.quote(split)}" if split else ""
    return f"{said}{skip} --out {folder} && radvqa predict {folder}{of}{skip} && radvqa score {folder}{of}"


def _filled(line: str, folder: str, seed: Any) -> str:
    return line.replace("{run}", folder).replace("{seed}", "SEED" if seed is None else str(seed))


def _seed(name: str) -> str | None:
    found = re.search(r"seed_?(\d+)", name)
    return found[1] if found else None


def _file(recipe: str) -> Path | None:
    """Find a recipe that the page file names."""
    if not recipe:
        return None
    ways = (Path(recipe), shipped_recipes().parent / recipe, shipped_recipes() / f"{recipe}.yaml")
    return next((way for way in ways if way.is_file()), None)


def _spelled(file: Path | None) -> str:
    """Write a recipe as a command names it: a shipped one by its name, ``small_vlm/short``; others by their path."""
    if file is None:
        return ""
    try:
        below = file.resolve().relative_to(shipped_recipes().resolve())
    except ValueError:
        return file.as_posix() if not file.is_absolute() else file.name
    return below.with_suffix("").as_posix()


@cache
def _shipped() -> dict[str, Path]:
    """Return the shipped recipes by the name that they give themselves."""
    found = {}
    for path in sorted(shipped_recipes().rglob("*.yaml")):
        values = yaml.safe_load(files.read_text(path))
        if isinstance(values, dict) and values.get("name"):
            found[str(values["name"])] = path
    return found


def overrides(file: Path, recipe: Path, fill: Fill = fill_recipe) -> list[str] | None:
    """Return the overrides that make a recipe file into the recipe of a run; they are tried before they are told.

    Args:
        file: the recipe file.
        recipe: the recipe in a run folder; what an older version did not write into it is as the default.
        fill: fills in both.

    Returns:
        ``key=value`` each, or None when no few overrides do.
    """
    try:
        wanted = dict(_flat(fill(recipe, ())))
        told: list[str] = []
        while True:
            found = dict(_flat(fill(file, told)))
            odd = [place for place in {**found, **wanted} if found.get(place) != wanted.get(place)]
            if not odd:
                return told
            # what `training` says reaches into the stages, so a stage's own keys come after it
            first = [place for place in odd if place[0] != "stages"] or odd
            said = [_override(place, wanted[place]) for place in first if place in wanted]
            if len(said) < len(first) or len(told) + len(said) > _MOST or set(said) & set(told):
                return None
            told += said
    except RadvqaError:  # a recipe that no override leads to, or one of another version
        return None


def _flat(values: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    if place in _LEFT_OUT:
        return
    if isinstance(values, Mapping) and values:
        for key, value in values.items():
            yield from _flat(value, (*place, str(key)))
    elif isinstance(values, list) and values and all(isinstance(value, Mapping) for value in values):
        for number, value in enumerate(values, start=1):
            yield from _flat(value, (*place, str(number)))
    else:
        yield place, values


def _override(place: Place, value: Any) -> str:
    key = "seed" if place == ("training", "seed") else ".".join(place)
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return f"{key}={text.removesuffix(chr(10)).removesuffix('...').strip()}"
