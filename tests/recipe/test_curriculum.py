"""From a page to its stages, every key filled in."""

from pathlib import Path

import yaml
from pages import page, read, single

from radvqa.recipe import load_recipe
from radvqa.recipe.curriculum import learned_modes, stages_of


def test_a_recipe_without_stages_is_one_stage() -> None:
    (stage,) = stages_of(read(single(), "data.cap=7"))
    (source,) = stage.sources
    assert (stage.number, stage.name, stage.modes, stage.is_mixed) == (1, "training", {}, False)
    assert (source.name, source.split, source.cap) == ("slake:en", "train", 7)
    assert (stage.learning.epochs, stage.learning.batch_size) == (2, 32)


def test_a_stage_takes_from_training_what_it_does_not_say() -> None:
    captions, mixed, slake = stages_of(read(page()))
    assert (captions.learning.epochs, captions.learning.learning_rate, captions.learning.select_by) == (
        2,
        0.001,
        "loss",
    )
    assert (slake.learning.learning_rate, slake.learning.select_by) == (0.0001, "accuracy")
    assert captions.learning.warmup_epochs == 0.5
    # a length and a warm-up of its own take the place of those in `training`, whatever their unit
    assert (mixed.learning.steps, mixed.learning.epochs) == (40, None)
    assert (mixed.learning.warmup_steps, mixed.learning.warmup_epochs) == (4, 0)


def test_a_stage_without_data_learns_from_the_recipes() -> None:
    values = page()
    values["data"]["cap"] = 9
    *_, slake = stages_of(read(values))
    assert [(source.name, source.split, source.cap) for source in slake.sources] == [("slake:en", "train", 9)]


def test_only_weights_a_temperature_or_an_annealed_mix_make_a_mix() -> None:
    assert [stage.is_mixed for stage in stages_of(read(page()))] == [False, True, False]
    assert stages_of(read(page(), "stages.1.temperature=2"))[0].is_mixed
    assert not stages_of(read(page(), "stages.3.anneal={over: 0.5, learning_rate: 0.1}"))[2].is_mixed


def test_the_model_is_built_for_all_that_any_stage_learns() -> None:
    recipe = read(page())
    assert learned_modes(recipe) == {"fusion": "full", "language_model": "lora"}
    assert [stage.modes["language_model"] for stage in stages_of(recipe)] == ["frozen", "lora", "lora"]


def test_a_part_that_a_stage_does_not_name_is_as_the_model_says() -> None:
    values = page()
    values["model"]["train"] = {"vision": "frozen", "fusion": "full"}
    del values["stages"][2]["train"]["fusion"]
    assert stages_of(read(values))[2].modes == {"fusion": "full", "language_model": "lora"}


def test_the_resolved_recipe_is_the_same_recipe(tmp_path: Path) -> None:
    for values in (page(), single()):
        recipe = read(values)
        path = tmp_path / "again.yaml"
        path.write_text(yaml.safe_dump(recipe.resolved()), encoding="utf-8")
        again = load_recipe(path)
        assert stages_of(again) == stages_of(recipe)
        assert again.resolved() == recipe.resolved()
