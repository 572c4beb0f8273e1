"""``key=value`` on the command line: which place of a recipe is meant, and putting the value there."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from radvqa.errors import RecipeError, nearest
from radvqa.recipe.data import DataSection
from radvqa.recipe.learning import LENGTHS, TrainingSection
from radvqa.recipe.page import Recipe

if TYPE_CHECKING:
    from pydantic import BaseModel

_SHORT = {"lr": "learning_rate"}


def apply(values: dict[str, Any], overrides: Sequence[str]) -> None:
    """Put overrides into the plain values of a recipe.

    Dotted keys name their place (``training.seed``, ``stages.1.lr``, ``stages.captions.lr``: stages and sources are
    named, or counted from 1); a key that only one section has needs no section (``seed``, ``lora.r``).

    Raises:
        RecipeError: for a key that has no place, more than one, or no effect, and a value that is no YAML.
    """
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise RecipeError(f"{override!r} is no override; write key=value, for instance training.seed=1.")
        put(values, full_key(values, key), _value(override, text), override)


def full_key(values: Mapping[str, Any], key: str) -> str:
    """Return a key with its section.

    Raises:
        RecipeError: when more than one section could be meant.
    """
    parts = [*key.split(".")]
    parts[-1] = _SHORT.get(parts[-1], parts[-1])
    first = parts[0]
    if first in Recipe.model_fields:
        return ".".join(parts)
    homes = [name for name, section in values.items() if isinstance(section, dict) and first in section]
    schema: dict[str, type[BaseModel]] = {"data": DataSection, "training": TrainingSection}
    homes += [name for name, section in schema.items() if first in section.model_fields and name not in homes]
    if len(homes) > 1:
        raise RecipeError(f"{first!r} could mean {' or '.join(f'{home}.{first}' for home in homes)}; write it out.")
    return ".".join([homes[0] if homes else "model", *parts])


def put(values: dict[str, Any], key: str, value: Any, override: str) -> None:
    """Put a value into the plain values of a recipe, in place.

    Args:
        values: of the recipe.
        key: whole, as ``full_key`` gives it.
        value: to put there.
        override: what was said, for messages.

    Raises:
        RecipeError: for a key that has no place, or no effect.
    """
    parts = key.split(".")
    _must_have_an_effect(values, parts, override)
    place = _place(values, parts, override)
    if isinstance(place, list):
        place[_index(place, parts[-1], ".".join(parts[:-1]), override)] = value
        return
    if parts[0] in ("stages", "training") and parts[-1] in LENGTHS:
        for other in LENGTHS:
            place.pop(other, None)
    place[parts[-1]] = value


def remove(values: dict[str, Any], key: str, said: str) -> None:
    """Take a key, or a member of a list, out of the plain values of a recipe, in place.

    Raises:
        RecipeError: when it is not there.
    """
    parts = key.split(".")
    place = _place(values, parts, said)
    if isinstance(place, list):
        del place[_index(place, parts[-1], ".".join(parts[:-1]), said)]
    elif parts[-1] in place:
        del place[parts[-1]]
    else:
        raise RecipeError(f"{said!r} is not in the base, so it cannot be left out; {nearest(parts[-1], list(place))}")


def _place(values: dict[str, Any], parts: Sequence[str], override: str) -> Any:
    """The section or list that holds the last part of a key."""
    place: Any = values
    for at, part in enumerate(parts[:-1]):
        if isinstance(place, list):
            place = place[_index(place, part, ".".join(parts[:at]), override)]
        else:
            place = place.setdefault(part, {})
        if not isinstance(place, dict | list):
            raise RecipeError(f"{override!r}: {part!r} is not a section of the recipe.")
    return place


def _index(members: Sequence[Any], part: str, where: str, override: str) -> int:
    """The place of a list's member, by its number from 1 on, or by its name or label."""
    if part.isdigit():
        if 1 <= int(part) <= len(members):
            return int(part) - 1
        raise RecipeError(f"{override!r}: {where} has {len(members)} members, counted from 1.")
    names = [str(m.get("label") or m.get("name")) if isinstance(m, dict) else str(m) for m in members]
    if names.count(part) == 1:
        return names.index(part)
    raise RecipeError(f"{override!r}: {where} has no single member {part!r}; {nearest(part, names)}")


def _must_have_an_effect(values: Mapping[str, Any], parts: Sequence[str], override: str) -> None:
    """Refuse a key of `training` that every stage says for itself."""
    stages = values.get("stages")
    if len(parts) != 2 or parts[0] != "training" or not isinstance(stages, list) or not stages:
        return
    same = LENGTHS if parts[1] in LENGTHS else (parts[1],)
    if all(isinstance(stage, dict) and any(key in stage for key in same) for stage in stages):
        raise RecipeError(
            f"{override!r} would have no effect: every stage says its own; write stages.1.{parts[1]}=… and so on."
        )


def _value(override: str, text: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise RecipeError(f"The value in {override!r} is not valid YAML.") from None
    return _number(value) if isinstance(value, str) else value


def _number(text: str) -> Any:
    """YAML 1.1 reads 1e-3 as text; people mean a number."""
    try:
        return float(text) if "e" in text.lower() else text
    except ValueError:
        return text
