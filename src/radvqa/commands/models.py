"""``radvqa models``: every model family, its options, and the parameters of each recipe's model."""

import inspect
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from radvqa import files
from radvqa.errors import RecipeError, nearest


def models(name: str | None = None, *, markdown: Path | None = None) -> dict[str, Any]:
    """List model families.

    Args:
        name: of one family; all by default.
        markdown: write the page ``docs/models.md`` here.

    Returns:
        Plain values: ``families``, each with name, title, text, options and recipes.

    Raises:
        RecipeError: for an unknown family.
    """
    from radvqa.models.zoo import FAMILIES
    from radvqa.report.models import models_page

    if name is not None and name not in FAMILIES:
        raise RecipeError(f"There is no family {name!r}; {nearest(name, list(FAMILIES))}")
    recipes = _recipes()
    found = [_family(one, FAMILIES[one], recipes) for one in FAMILIES if name in (None, one)]
    if markdown is not None:
        files.write_text(markdown, models_page(found))
    return {"families": found}


def options_of(schema: type[BaseModel], before: str = "", given: BaseModel | None = None) -> list[dict[str, str]]:
    """Describe every option: key, kind, default and meaning; options of options follow their owner.

    Args:
        schema: of the options.
        before: what stands before their keys.
        given: the owner's default, whose values go before the schema's own.
    """
    rows: list[dict[str, str]] = []
    for key, field in schema.model_fields.items():
        default = field.default if given is None else getattr(given, key)
        rows.append(
            {
                "key": f"{before}{key}",
                "kind": _kind(field.annotation),
                "default": "" if default is PydanticUndefined else _plain(default),
                "meaning": field.description or "",
            }
        )
        for inner in _schemas(field.annotation):
            rows.extend(options_of(inner, f"{before}{key}.", default if isinstance(default, inner) else None))
    return rows


@cache
def parameters_of(recipe: Path) -> dict[str, int] | None:
    """Count the parameters of a recipe's model without loading or making any weights.

    Returns:
        ``total`` and ``trainable``; None for a family whose size follows from its training data.
    """
    from radvqa.models import parts, zoo
    from radvqa.models.family import Sized
    from radvqa.recipe import load_recipe
    from radvqa.recipe.curriculum import learned_modes

    page = load_recipe(recipe)
    family, options = zoo.validate(zoo.with_modes(page.model, learned_modes(page)))
    return parts.count_parameters(family.skeleton(options)) if isinstance(family, Sized) else None


def _family(name: str, family: Any, recipes: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    title, _, text = inspect.cleandoc(sys.modules[type(family).__module__].__doc__ or "").partition("\n\n")
    return {
        "name": name,
        "title": " ".join(title.split()),
        "text": text,
        "options": options_of(family.options),
        "recipes": recipes.get(name, []),
    }


def _recipes() -> dict[str, list[dict[str, Any]]]:
    """Every shipped recipe by its family, with the published row that it re-runs."""
    from radvqa.recipe import load_recipe, names_of_recipes

    found: dict[str, list[dict[str, Any]]] = {}
    for name, path in names_of_recipes().items():
        recipe = load_recipe(path)
        row = {
            "name": name,
            "title": recipe.title,
            "reproduces": recipe.reproduces or "",
            "notes": " ".join(recipe.notes.split()),
            "parameters": parameters_of(path),
        }
        found.setdefault(recipe.model.family, []).append(row)
    return found


def _schemas(annotation: Any) -> list[type[BaseModel]]:
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _kind(annotation: Any) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(_kind(one) for one in inside)
    if origin is Literal:
        return ", ".join(map(str, inside))
    if origin is dict:
        return f"{_kind(inside[0])} → {_kind(inside[1])}"
    if origin in (list, tuple):
        return f"list of {_kind(inside[0])}"
    names = {str: "text", int: "whole number", float: "number", bool: "true, false", type(None): "null", Any: "any"}
    if annotation in names:
        return names[annotation]
    return "options" if _schemas(annotation) else str(getattr(annotation, "__name__", annotation))


def _plain(value: Any) -> str:
    if isinstance(value, BaseModel):
        return "as below"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_plain(one)}" for key, one in value.items()) + "}"
    return str(value)
