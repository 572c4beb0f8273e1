"""Name → model family, and models from recipes and from checkpoints."""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import BaseModel, ValidationError

from radvqa.errors import RecipeError, nearest
from radvqa.models import parts
from radvqa.models.family import Context, Family, VqaModel
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
