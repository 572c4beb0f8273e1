"""Every recipe that ships can be carried out as far as its page alone tells, and the published curricula are met."""

from pathlib import Path

import pytest
import yaml

from radvqa.commands.prepare import checked
from radvqa.data import registry
from radvqa.recipe import load_recipe, names_of_recipes
from radvqa.recipe.curriculum import stages_of

SHIPPED = list(names_of_recipes())
CURRICULA = [name for name in SHIPPED if load_recipe(Path(name)).stages]
VARIANTS = [name for name, path in names_of_recipes().items() if "\nbase: " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_is_right_to_its_last_name(name: str) -> None:
    recipe = load_recipe(Path(name))  # neither data nor weights are at hand
    stages, _ = checked(recipe)
    for stage in stages:
        for source in stage.sources:
            assert source.split in registry.select(source.name).version.splits
            assert ":" in source.name, "a recipe names the version, so that another default cannot change it"
        if stage.select is not None and stage.select.name is not None:
            assert stage.select.split in registry.select(stage.select.name).version.splits


@pytest.mark.parametrize("name", CURRICULA)
def test_a_resolved_curriculum_is_the_same_curriculum(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(Path(name))
    again = tmp_path / "again.yaml"
    again.write_text(yaml.safe_dump(recipe.resolved()), encoding="utf-8")
    assert stages_of(load_recipe(again)) == stages_of(recipe)


@pytest.mark.parametrize("name", [name for name in CURRICULA if name not in VARIANTS])
def test_a_curriculum_says_what_is_its_own_choice(name: str) -> None:
    recipe = load_recipe(Path(name))
    notes = " ".join(recipe.notes.split())
    assert "chosen here" in notes.lower() or "10 epochs: as many as its loss" in notes
    assert recipe.reproduces or "no published row" in notes or "not its row" in notes


@pytest.mark.parametrize("last", ["pmc_vqa", "roco", "medpix", "roco_medpix"])
def test_seed_002_as_published(last: str) -> None:
    recipe = load_recipe(Path(f"curriculum_paligemma_{last}"))
    first, second = stages_of(recipe)
    assert recipe.model.options["checkpoint"] == "google/paligemma-3b-mix-448"
    lora = recipe.model.options["lora"]
    assert (lora["r"], lora["alpha"], len(lora["targets"])) == (12, 32, 6)
    assert [source.name for source in first.sources] == ["slake:en"]
    assert first.modes == {"vision": "frozen", "projector": "full", "language_model": "frozen"}
    assert first.learning.epochs == 5
    assert second.modes == {"vision": "lora", "projector": "full", "language_model": "lora"}
    for stage in (first, second):
        learning = stage.learning
        assert (learning.learning_rate, learning.schedule, learning.weight_decay) == (1e-5, "constant", 0)
        assert (learning.micro_batch_size, learning.batch_size) == (6, 6 * 16)
    assert (second.anneal is not None) == (last == "roco_medpix")
    assert second.anneal is None or second.anneal.to == {"medpix": 1}


@pytest.mark.parametrize("last", ["slake:en", "vqa_rad:official"])
def test_seed_003_as_published(last: str) -> None:
    recipe = load_recipe(Path(f"curriculum_radbloomz_{last.partition(':')[0]}"))
    stages = stages_of(recipe)
    assert [stage.sources[0].name for stage in stages] == ["pmc_oa:separated", "pmc_vqa:v1", last]
    assert recipe.model.options["train"] == {"vision": "frozen", "fusion": "full", "language_model": "lora"}
    assert "BiomedCLIP" in recipe.model.options["vision"]
    assert "RadBLOOMZ" in recipe.model.options["language_model"]


def test_llava_med_as_published() -> None:
    alignment, instructions = stages_of(load_recipe(Path("curriculum_llava_med")))
    assert alignment.modes == {"fusion": "full", "language_model": "frozen"}
    assert instructions.modes == {"fusion": "full", "language_model": "full"}
    assert (alignment.learning.learning_rate, alignment.learning.epochs) == (2e-3, 1)
    assert (instructions.learning.learning_rate, instructions.learning.epochs) == (2e-5, 3)
    # a warm-up of 3 % of the steps
    assert alignment.learning.warmup_epochs / 1 == pytest.approx(0.03)
    assert instructions.learning.warmup_epochs / 3 == pytest.approx(0.03)
    assert len(set(alignment.sources[0].prompt)) >= 5


def test_the_small_curriculum_moves_to_slake_alone() -> None:
    captions, pathology, slake = stages_of(load_recipe(Path("curriculum_smollm2")))
    assert [source.called for source in slake.sources] == ["path_vqa", "medpix2", "slake"]
    assert slake.anneal is not None
    assert slake.anneal.to == {"slake": 1}
    assert [stage.modes["language_model"] for stage in (captions, pathology, slake)] == ["frozen", "lora", "lora"]
