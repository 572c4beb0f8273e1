"""What the models page says is what the families, the recipes and the published counts say."""

from pathlib import Path

import pytest

from radvqa.commands.models import models, options_of, parameters_of
from radvqa.errors import RecipeError
from radvqa.models.zoo import FAMILIES
from radvqa.recipe import names_of_recipes

PAGE = Path(__file__).parents[1] / "docs" / "models.md"


def test_the_page_is_up_to_date(tmp_path: Path) -> None:
    models(markdown=tmp_path / "models.md")
    assert PAGE.read_text(encoding="utf-8") == (tmp_path / "models.md").read_text(encoding="utf-8")


def test_every_family_and_recipe_is_listed() -> None:
    found = models()["families"]
    assert [family["name"] for family in found] == list(FAMILIES)
    listed = {recipe["name"] for family in found for recipe in family["recipes"]}
    assert listed == set(names_of_recipes())
    assert all(family["title"] and family["text"] for family in found)


@pytest.mark.parametrize("name", list(FAMILIES))
def test_every_option_is_explained(name: str) -> None:
    rows = options_of(FAMILIES[name].options)
    assert rows
    assert not [row["key"] for row in rows if not row["meaning"]]


@pytest.mark.parametrize(
    ("recipe", "total", "trainable"),
    [
        ("slake_blip_lora_r8", 363_294_524, 2_064_384),
        ("slake_blip_lora_r16", 365_358_908, 4_128_768),
        ("slake_blip_lora_r32", 369_487_676, 8_257_536),
    ],
)
def test_the_published_counts_are_met(recipe: str, total: int, trainable: int) -> None:
    assert parameters_of(Path(recipe)) == {"total": total, "trainable": trainable}


def test_an_unknown_family_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match="did you mean 'blip'"):
        models("blib")
