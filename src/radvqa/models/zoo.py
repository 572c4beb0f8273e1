"""Name → model family, and models from recipes and from checkpoints."""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import BaseModel, ValidationError

from radvqa.errors import RecipeError, nearest
from radvqa.models import parts
from radvqa.models.family import Context, Family, VqaModel
from radvqa.models.generative_options import GenerativeOptions
from radvqa.recipe import ModelSection, explain
from radvqa.registry import Registry

FAMILIES: Registry[Family[Any]] = Registry("radvqa.models.families", "FAMILY")


def validate(section: ModelSection) -> tuple[Family[Any], BaseModel]:
    """Return the family that a recipe names, and its validated options.

    Raises:
        RecipeError: for an unknown family, an unknown option (names the nearest), or a value out of range.
    """
    if section.family not in FAMILIES:
        raise RecipeError(
            f"model.family: there is no family {section.family!r}; {nearest(section.family, list(FAMILIES))}"
        )
    family = FAMILIES[section.family]
    try:
        return family, family.options.model_validate(section.options)
    except ValidationError as error:
        raise RecipeError(f"model: {explain(error, family.options)}") from None


def resolved(section: ModelSection) -> dict[str, Any]:
    """The model section with every default of its family filled in."""
    return {"family": section.family, **validate(section)[1].model_dump(mode="json")}


def with_modes(section: ModelSection, modes: Mapping[str, str]) -> ModelSection:
    """The model section with what is learned of some parts, where the family's options say so by part."""
    if not modes or "train" not in FAMILIES[section.family].options.model_fields:
        return section
    options = section.options
    return ModelSection.model_validate(
        {"family": section.family, **options, "train": {**(options.get("train") or {}), **modes}}
    )


def check_stage(section: ModelSection, modes: Mapping[str, str], place: str) -> None:
    """Refuse a stage that the family cannot learn.

    Args:
        section: of the recipe.
        modes: what the stage learns of the parts that stages name.
        place: of the stage, for messages.

    Raises:
        RecipeError: for an unknown part, a mode that a part cannot have, and a stage that trains nothing.
    """
    try:
        options = resolved(with_modes(section, modes))
    except RecipeError as error:
        raise RecipeError(f"{place}: train: {error}") from None
    learned = options.get("train")
    if modes and isinstance(learned, Mapping) and set(learned.values()) == {"frozen"}:
        raise RecipeError(f"{place}: every part is frozen, so the stage would train nothing; let one part learn.")


def writes(section: ModelSection) -> bool:
    """Whether the family answers by writing."""
    return issubclass(FAMILIES[section.family].options, GenerativeOptions)


def require_writing(section: ModelSection, what: str) -> None:
    """Refuse what only a family that writes can do.

    Raises:
        RecipeError: begins with what was asked for.
    """
    if not writes(section):
        raise RecipeError(f"{what} the family {section.family} does not have: it chooses among the training answers.")


def check_use(section: ModelSection, task: str | None, prompted: bool, place: str) -> None:
    """Refuse samples put in a way that the family cannot read.

    Raises:
        RecipeError: names the source.
    """
    if task == "caption":
        require_writing(section, f"{place}: task is caption, which needs a decoder, which")
    if prompted and "prompts" not in FAMILIES[section.family].options.model_fields:
        raise RecipeError(f"{place}: the family {section.family} reads questions as they are; leave `prompt` out.")


def build(section: ModelSection, context: Context) -> VqaModel:
    """Build the model of a recipe, to train."""
    family, options = validate(section)
    return family.build(options, context)


def rebuild(spec: Mapping[str, Any], device: torch.device) -> VqaModel:
    """Build the model of a checkpoint's ``model.json``; weights are loaded afterwards."""
    return FAMILIES[spec["family"]].rebuild(spec, device)


def count_parameters(model: VqaModel) -> dict[str, int]:
    """Count all and the trained parameters."""
    return parts.count_parameters(model.module)
