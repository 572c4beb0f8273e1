"""A recipe is read from YAML, overridden, and validated before anything starts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from radvqa import files
from radvqa.errors import RecipeError, nearest
from radvqa.recipe import variant
from radvqa.recipe.check import check
from radvqa.recipe.overrides import apply
from radvqa.recipe.page import Recipe
from radvqa.recipe.section import explain

_NO_RECIPES = ("adapt",)
"""Folders beside the recipes whose files say something else."""


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply overrides.

    Args:
        path: the YAML file, or the name of a recipe that ships with the project.
        overrides: ``key=value`` with dotted keys (``training.seed=1``, ``stages.1.lr=2e-5``); a key that only one
            section has (``seed=1``) is understood. Values are YAML.

    Raises:
        RecipeError: for a file that is absent or no YAML, an unknown key (names the nearest known one), a value
            of the wrong type or range, or a contradiction.
    """
    path = find_recipe(path)
    values = variant.written_out(path, _values_of)
    apply(values, overrides)
    recipe = parse_recipe(values, str(path))
    check(recipe, str(path))
    return recipe


def _values_of(path: Path) -> dict[str, Any]:
    path = find_recipe(path)
    try:
        values = yaml.safe_load(files.read_text(path))
    except yaml.YAMLError as error:
        raise RecipeError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(values, dict):
        raise RecipeError(f"{path} must hold a mapping with the keys {', '.join(Recipe.model_fields)}.")
    return values


def parse_recipe(values: Mapping[str, Any], where: str) -> Recipe:
    """Validate plain values as a recipe.

    Raises:
        RecipeError: names the key and what is wrong with it.
    """
    try:
        return Recipe.model_validate(_of_older_runs(values))
    except ValidationError as error:
        raise RecipeError(f"{where}: {explain(error, Recipe)}") from None


def _of_older_runs(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Runs of older versions have the rate of a trained backbone under a key of its own."""
    training = values.get("training")
    if not isinstance(training, Mapping) or "backbone_learning_rate" not in training:
        return values
    rest = {key: value for key, value in training.items() if key != "backbone_learning_rate"}
    rate = training["backbone_learning_rate"]
    return {**values, "training": rest if rate is None else {**rest, "learning_rates": {"vision": rate}}}


def find_recipe(path: Path) -> Path:
    """Return the file of a recipe named by path, or by the name of one that ships with the project.

    Raises:
        RecipeError: when there is no such file; names the nearest recipe.
    """
    if path.is_file():
        return path
    shipped = names_of_recipes()
    wanted = path.with_suffix("") if path.suffix in (".yaml", ".yml") else path
    for name in (wanted.as_posix(), wanted.as_posix().removeprefix("recipes/")):
        if name in shipped:
            return shipped[name]
    hint = nearest(wanted.as_posix(), list(shipped)) if shipped else ""
    raise RecipeError(f"There is no recipe {path}; {hint}")


def names_of_recipes() -> dict[str, Path]:
    """The recipes that come with the project by name: ``phantom_cnn_lstm``, ``small_vlm/three_stages``."""
    top = shipped_recipes()
    files_of = [path for path in sorted(top.rglob("*.yaml")) if path.relative_to(top).parts[0] not in _NO_RECIPES]
    return {path.relative_to(top).with_suffix("").as_posix(): path for path in files_of}


def shipped_recipes() -> Path:
    """The folder of the recipes that come with the project: beside the sources, or inside an installed package."""
    beside = Path(__file__).parents[3] / "recipes"
    return beside if beside.is_dir() else Path(__file__).parents[1] / "recipes"
