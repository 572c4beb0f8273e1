"""A part of a recipe, and what to say when one is wrong."""

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from radvqa.errors import nearest


class Section(BaseModel):
    """A part of a recipe: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Turn a validation error into one sentence per wrong key, with the nearest known key for unknown ones."""
    sentences = []
    for problem in error.errors():
        place = ".".join(_named(problem["loc"]))
        if problem["type"] == "extra_forbidden":
            known = known_keys(model, [str(part) for part in problem["loc"][:-1]])
            sentences.append(f"unknown key {place!r}; {nearest(str(problem['loc'][-1]), known)}")
        elif problem["type"] == "value_error":
            sentences.append(f"{place}: {problem['msg'].removeprefix('Value error, ')}")
        else:
            sentences.append(f"{place}: {_begun_small(problem['msg'])} (found {problem.get('input')!r})")
    return "; ".join(sentences)


def _begun_small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _named(place: Sequence[Any]) -> list[str]:
    """Name places as people count: the first of a list is 1."""
    return [str(part + 1) if isinstance(part, int) else str(part) for part in place]


def known_keys(model: type[BaseModel], place: Sequence[str]) -> list[str]:
    """Keys that a place below a section may hold; those of the section itself where the place is none."""
    for part in place:
        field = model.model_fields.get(part)
        inner = section_in(field.annotation) if field is not None else None
        if inner is not None:
            model = inner
    return list(model.model_fields)


def section_in(annotation: Any) -> type[BaseModel] | None:
    """The section that an annotation holds: itself, an optional one, or the members of a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (section_in(argument) for argument in get_args(annotation))
    return next((section for section in found if section is not None), None)
