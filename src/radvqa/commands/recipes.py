"""``radvqa recipes``: the recipes that ship with the project, one of them filled in, and the page about the format."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from radvqa import files
from radvqa.commands.models import options_of
from radvqa.recipe import (
    AnnealSection,
    CarrySection,
    ChoiceSection,
    DataSection,
    LearningSection,
    Recipe,
    SourceSection,
    StageSection,
    TrainingSection,
    load_recipe,
    names_of_recipes,
)
from radvqa.recipe.curriculum import stages_of

_SECTIONS: Sequence[tuple[str, str, type[BaseModel], type[BaseModel] | None]] = (
    ("The page", "", Recipe, None),
    ("data", "data.", DataSection, None),
    ("training, and every stage", "training.", LearningSection, None),
    ("training, for the whole run", "training.", TrainingSection, LearningSection),
    ("stages", "stages.1.", StageSection, LearningSection),
    ("stages: data", "stages.1.data.1.", SourceSection, None),
    ("stages: anneal", "stages.1.anneal.", AnnealSection, None),
    ("stages: select", "stages.1.select.", ChoiceSection, None),
    ("stages: carry", "stages.1.carry.", CarrySection, None),
)
"""Title, what an override writes before a key, schema, and the schema whose keys are told elsewhere."""


def recipes(*, markdown: Path | None = None) -> dict[str, Any]:
    """List the shipped recipes.

    Args:
        markdown: write the page ``docs/training.md`` here.

    Returns:
        Plain values: ``recipes``, each with name, title, family, data, stages and the published row.
    """
    from radvqa.report.recipes import training_page

    found = [_listed(load_recipe(path)) for path in names_of_recipes().values()]
    if markdown is not None:
        files.write_text(markdown, training_page(sections(), found))
    return {"recipes": found}


def filled_in(recipe: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Return a recipe as plain values with everything filled in: defaults, options of the model, data of each stage.

    What is returned is a recipe again, and means the same.

    Args:
        recipe: a YAML file, or the name of a recipe that ships with the project.
        overrides: ``key=value``.

    Raises:
        RecipeError: for a recipe that is wrong; everything but its data is checked.
    """
    from radvqa.commands.prepare import checked
    from radvqa.models import zoo

    parsed = load_recipe(Path(recipe), overrides)
    stages, model = checked(parsed)
    values = parsed.resolved()
    values["model"] = zoo.resolved(model)
    if parsed.stages:
        for stage, plain in zip(stages, values["stages"], strict=True):
            plain["data"] = [_without_nulls(source.model_dump(mode="json")) for source in stage.sources]
            plain["train"] = dict(stage.modes) or None
        values["data"]["cap"] = None  # it stands in the stages now
    return values


def sections() -> list[dict[str, Any]]:
    """Describe every key of the recipe format, section by section.

    Returns:
        for each section ``title``, ``before`` (what an override writes before a key), ``text`` and ``keys``: ``key``,
        ``kind``, ``unit``, ``needed``, ``default`` and ``meaning``.
    """
    return [
        {
            "title": title,
            "before": before,
            "text": (schema.__doc__ or "").strip(),
            "keys": keys_of(schema, leave_out=other.model_fields if other else ()),
        }
        for title, before, schema, other in _SECTIONS
    ]


def keys_of(schema: type[BaseModel], leave_out: Collection[str] = ()) -> list[dict[str, Any]]:
    """Describe the keys of one section, those of sections inside it left out."""
    described = {row["key"]: row for row in options_of(schema) if "." not in row["key"]}
    rows = []
    for key, field in schema.model_fields.items():
        if key in leave_out:
            continue
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        kind = str(extra.get("kind", described[key]["kind"])).replace("options", "section")
        rows.append(
            {
                "key": key,
                "kind": kind.replace("list of section", "list of sections"),
                "unit": str(extra.get("unit", "")),
                "needed": field.is_required(),
                "default": described[key]["default"] or '""',
                "meaning": field.description or "",
            }
        )
    return rows


def _listed(recipe: Recipe) -> dict[str, Any]:
    return {
        "name": recipe.name,
        "title": recipe.title,
        "family": recipe.model.family,
        "data": recipe.data.name,
        "stages": [
            {"name": stage.name, "data": [source.called for source in stage.sources]} for stage in stages_of(recipe)
        ],
        "reproduces": recipe.reproduces or "",
    }


def _without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
