"""``key=value``: which place of a recipe is meant."""

from typing import Any

import pytest
from pages import page, read, single

from radvqa.errors import RecipeError
from radvqa.recipe.overrides import full_key


def at(values: Any, *path: str | int) -> Any:
    for part in path:
        values = values[part]
    return values


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("stages.1.lr=2e-5", ("stages", 0, "learning_rate"), 2e-5),
        ("stages.captions.lr=2e-5", ("stages", 0, "learning_rate"), 2e-5),
        ("stages.mixed.data.2.weight=5", ("stages", 1, "data", 1, "weight"), 5.0),
        ("stages.2.data.slake.weight=5", ("stages", 1, "data", 1, "weight"), 5.0),
        ("stages.2.anneal.to.path=1", ("stages", 1, "anneal", "to"), {"slake": 1.0, "path": 1.0}),
        ("stages.2.anneal.learning_rate=0.1", ("stages", 1, "anneal", "learning_rate"), 0.1),
        ("stages.3.carry.weights=last", ("stages", 2, "carry", "weights"), "last"),
        ("stages.3.train.vision=frozen", ("stages", 2, "train", "vision"), "frozen"),
        ("stages.1.data.1.prompt=[a, b]", ("stages", 0, "data", 0, "prompt"), ["a", "b"]),
        ("stages.3.images_per_batch=6", ("stages", 2, "images_per_batch"), 6),
        ("lora.r=16", ("model", "lora", "r"), 16),
        ("model.lora.targets=[k_proj]", ("model", "lora", "targets"), ["k_proj"]),
        ("lr=0.01", ("training", "learning_rate"), 0.01),
        ("batch_size=8", ("training", "batch_size"), 8),
        ("cap=10", ("data", "cap"), 10),
        ("trackers=[]", ("training", "trackers"), []),
        ("title=another", ("title",), "another"),
    ],
)
def test_an_override_finds_its_place_by_number_or_name(override: str, path: tuple[str | int, ...], value: Any) -> None:
    assert at(read(page(), override).resolved(), *path) == value


def test_later_overrides_go_on_from_earlier_ones() -> None:
    recipe = read(page(), "stages.3.name=last", "stages.last.lr=0.5", "seed=1", "seed=2")
    assert (recipe.stages[2].learning_rate, recipe.training.seed) == (0.5, 2)


@pytest.mark.parametrize(("key", "others"), [("epochs=4", {"steps", "tokens"}), ("tokens=9000", {"epochs", "steps"})])
def test_a_new_length_takes_the_place_of_the_old_one(key: str, others: set[str]) -> None:
    for stage in ("mixed", "slake"):
        learning = read(page(), f"stages.{stage}.{key}").resolved()["stages"][1 if stage == "mixed" else 2]
        assert learning[key.partition("=")[0]] == int(key.partition("=")[2])
        assert {name for name in others if learning[name] is not None} == set()


def test_a_new_length_of_a_recipe_without_stages() -> None:
    training = read(single(), "steps=7", "warmup_epochs=0").training
    assert (training.steps, training.epochs) == (7, None)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stages.4.lr=1", r"stages has 3 members, counted from 1"),
        ("stages.0.lr=1", r"stages has 3 members, counted from 1"),
        ("stages.caption.lr=1", r"stages has no single member 'caption'; did you mean 'captions'"),
        ("stages.2.data.paht.weight=1", r"stages.2.data has no single member 'paht'; did you mean 'path'"),
        ("stages.2.data.3.weight=1", r"stages.2.data has 2 members"),
        ("stages.1.name.x=1", r"'name' is not a section of the recipe"),
        ("stages.1.lr", r"is no override; write key=value"),
        ("stages.1.lr={", r"is not valid YAML"),
        ("stages.1.lr=fast", r"stages.1.learning_rate: .*\(found 'fast'\)"),
        ("stages.1.leraning_rate=1", r"unknown key 'stages.1.leraning_rate'; did you mean 'learning_rate'"),
    ],
)
def test_a_mistake_names_the_way_out(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read(page(), override)


def test_an_override_that_no_stage_would_follow_is_refused() -> None:
    values = page()
    for stage in values["stages"]:
        stage["learning_rate"] = 0.1
    with pytest.raises(
        RecipeError, match=r"'lr=1' would have no effect: every stage says its own; write stages.1.lear"
    ):
        read(values, "lr=1")


def test_an_override_that_one_stage_follows_has_an_effect() -> None:
    recipe = read(page(), "lr=0.5")  # the last stage says its own
    assert [recipe.learning(stage).learning_rate for stage in recipe.stages] == [0.5, 0.5, 0.0001]


def test_a_length_counts_as_said_whatever_its_unit() -> None:
    values = page()
    for stage, length in zip(values["stages"], ("epochs", "steps", "tokens"), strict=True):
        stage.pop("steps", None)
        stage[length] = 10
    with pytest.raises(RecipeError, match=r"'epochs=1' would have no effect"):
        read(values, "epochs=1")


@pytest.mark.parametrize(
    ("key", "full"),
    [
        ("lr", "training.learning_rate"),
        ("lora.r", "model.lora.r"),
        ("data.test", "data.test"),
        ("test", "data.test"),
        ("stages.1.lr", "stages.1.learning_rate"),
        ("query_transformer.queries", "model.query_transformer.queries"),
    ],
)
def test_a_key_is_given_its_section(key: str, full: str) -> None:
    assert full_key(page(), key) == full
