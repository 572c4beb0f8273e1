"""A recipe that is another one with something changed."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pages import page

from radvqa.errors import RecipeError
from radvqa.recipe import load_recipe, names_of_recipes


def written(folder: Path, name: str, values: dict[str, Any]) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return written(tmp_path, "base", page())


def test_a_variant_is_its_base_but_for_what_it_says(base: Path, tmp_path: Path) -> None:
    values = {"name": "variant", "title": "Two stages", "base": "base"}
    changed = {**values, "without": ["stages.captions"], "change": {"model.lora.r": 4, "stages.slake.lr": 0.5}}
    found = load_recipe(written(tmp_path, "variant", changed))
    plain = page()
    plain |= {"name": "variant", "title": "Two stages", "stages": plain["stages"][1:]}
    plain["model"]["lora"]["r"] = 4
    plain["stages"][1]["learning_rate"] = 0.5
    assert found == load_recipe(written(tmp_path, "whole", plain))


def test_a_variant_of_a_variant_and_an_override_on_top(base: Path, tmp_path: Path) -> None:
    written(tmp_path, "first", {"name": "first", "base": "base", "change": {"model.lora.r": 4, "training.seed": 5}})
    second = written(tmp_path, "second", {"name": "second", "base": "first", "change": {"model.lora.alpha": 9}})
    found = load_recipe(second, ["lora.r=2"])
    assert (found.name, found.training.seed, found.model.options["lora"]) == (
        "second",
        5,
        {"r": 2, "alpha": 9, "targets": ["q_proj"]},
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": {}}, r"says what differs under `change`, not as 'model'"),
        ({"chnge": {}}, r"not as 'chnge'; did you mean 'change'"),
        ({"without": ["stages.captoins"]}, r"stages has no single member 'captoins'; did you mean 'captions'"),
        ({"without": ["model.lora.rank"]}, r"'model.lora.rank' is not in the base"),
        ({"change": ["model.lora.r"]}, r"`change` must be a mapping"),
        ({"change": {"stages.9.lr": 1}}, r"stages has 3 members"),
        ({"base": "variant"}, r"its base leads back to itself"),
        ({"base": "bse"}, r"There is no recipe bse"),
    ],
)
def test_what_a_variant_cannot_say_is_told(base: Path, tmp_path: Path, values: dict[str, Any], message: str) -> None:
    path = written(tmp_path, "variant", {"name": "variant", "base": "base", **values})
    with pytest.raises(RecipeError, match=message):
        load_recipe(path)


def test_shipped_recipes_in_folders_are_found_by_name() -> None:
    assert "small_vlm/three_stages" in names_of_recipes()
    assert load_recipe(Path("small_vlm/short")).name == "small_vlm/short"
    with pytest.raises(RecipeError, match="did you mean 'small_vlm/three_stages'"):
        load_recipe(Path("small_vlm/three_stage"))


@pytest.mark.parametrize("name", sorted(name for name in names_of_recipes() if "/" in name))
def test_shipped_variants_are_recipes(name: str) -> None:
    assert load_recipe(Path(name)).name == name
