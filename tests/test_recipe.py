"""Recipes: every shipped one is valid, and every mistake is named before anything starts."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from miniature import recipe
from radvqa.data import registry
from radvqa.errors import RecipeError
from radvqa.models import zoo
from radvqa.recipe import load_recipe, names_of_recipes
from radvqa.training.selection import check_metric

SHIPPED = list(names_of_recipes())


def test_recipes_are_shipped() -> None:
    assert {"slake_cnn_lstm_frozen", "slake_cnn_lstm_unfrozen"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_is_valid_to_the_last_key(name: str) -> None:
    parsed = load_recipe(Path(name))
    assert parsed.name == name
    assert parsed.title
    resolved = zoo.resolved(parsed.model)
    assert set(parsed.model.options) <= set(resolved)
    check_metric(parsed.training.select_by)
    base, _, version = parsed.data.name.partition(":")
    if base in registry.DATASETS:
        splits = registry.select(parsed.data.name).version.splits
        assert {parsed.data.train, parsed.data.select, parsed.data.test} <= set(splits)
        assert version, "a recipe names the version, so that another default cannot change it"
    else:
        assert base == "phantom"


def test_seed_000_is_reproduced_as_it_was() -> None:
    frozen, unfrozen = (load_recipe(Path(f"slake_cnn_lstm_{kind}")) for kind in ("frozen", "unfrozen"))
    for parsed in (frozen, unfrozen):
        training = parsed.training
        assert (training.epochs, training.batch_size, training.optimizer) == (50, 128, "adam")
        assert (training.learning_rate, training.seed, training.select_by) == (1e-3, 42, "accuracy")
        assert (training.schedule, training.label_smoothing, training.clip_norm) == ("constant", 0, None)
        options = zoo.resolved(parsed.model)
        assert (options["backbone"], options["image_size"]) == ("microsoft/resnet-18", 224)
        assert options["pool_over_padding"] is True
    assert zoo.resolved(frozen.model)["batch_norm_drift"] is True
    assert (zoo.resolved(frozen.model)["frozen"], zoo.resolved(unfrozen.model)["frozen"]) == (True, False)


def test_the_resolved_recipe_is_a_recipe_again(tmp_path: Path) -> None:
    parsed = load_recipe(recipe(tmp_path / "tiny.yaml"))
    again = tmp_path / "again.yaml"
    again.write_text(yaml.safe_dump(parsed.resolved()), encoding="utf-8")
    assert load_recipe(again) == parsed


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("training.seed=7", "training", "seed", 7),
        ("seed=7", "training", "seed", 7),
        ("epochs=5", "training", "epochs", 5),
        ("learning_rate=1e-3", "training", "learning_rate", 0.001),
        ("training.learning_rate=2.5E-4", "training", "learning_rate", 0.00025),
        ("clip_norm=null", "training", "clip_norm", None),
        ("images_per_batch=4", "training", "images_per_batch", 4),  # not in the file, but in the schema
        ("select_by=token_f1", "training", "select_by", "token_f1"),
        ("select=held", "data", "select", "held"),
    ],
)
def test_overrides(tmp_path: Path, override: str, section: str, key: str, value: Any) -> None:
    parsed = load_recipe(recipe(tmp_path / "tiny.yaml"), [override])
    found = getattr(getattr(parsed, section), key)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("backbone=org/name", "backbone", "org/name"),
        ("model.frozen=false", "frozen", False),
        ("model.backbone_config={depths: [2]}", "backbone_config", {"depths": [2]}),
        ("dropout=0.5", "dropout", 0.5),  # an option of the family that the file does not name
    ],
)
def test_overrides_of_the_model(tmp_path: Path, override: str, key: str, value: Any) -> None:
    assert load_recipe(recipe(tmp_path / "tiny.yaml"), [override]).model.options[key] == value


def test_a_dotted_override_changes_one_key_of_an_option(tmp_path: Path) -> None:
    parsed = load_recipe(recipe(tmp_path / "tiny.yaml"), ["backbone_config.depths=[1]"])
    assert parsed.model.options["backbone_config"]["depths"] == [1]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.sede=1", r"unknown key 'training.sede'; did you mean 'seed'"),
        ("data.tset=x", r"unknown key 'data.tset'; did you mean 'test'"),
        ("data=null", r"data: input should be"),
        ("name.x=3", r"'name' is not a section of the recipe"),
        ("seed", r"'seed' is no override; write key=value"),
        ("seed=[1", r"The value in 'seed=\[1' is not valid YAML"),
        ("training.epochs=0", r"training.epochs: input should be greater than or equal to 1 \(found 0\)"),
        ("epochs=many", r"training.epochs: .*\(found 'many'\)"),
        ("learning_rate=-1", r"training.learning_rate: .*greater than 0"),
        ("learning_rate=.nan", r"training.learning_rate"),
        ("optimizer=sgd", r"training.optimizer: .*'adam' or 'adamw'"),
        ("select=test", r"the test split 'test' is also used to train or to choose"),
        ("data.train=test", r"the test split 'test' is also used"),
        ("select=train", r"data.select is the training split"),
        ("select_fraction=0.2", r"data.select must be 'train'"),
        ("select_fraction=0.95", r"data.select_fraction: input should be less than 0.9"),
    ],
)
def test_mistakes_in_overrides(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe(recipe(tmp_path / "tiny.yaml"), [override])


def test_a_key_of_two_sections_must_be_written_out(tmp_path: Path) -> None:
    path = recipe(tmp_path / "tiny.yaml", model__seed=3)
    with pytest.raises(RecipeError, match=r"'seed' could mean model.seed or training.seed; write it out"):
        load_recipe(path, ["seed=1"])
    assert load_recipe(path, ["training.seed=9"]).training.seed == 9


def test_a_part_of_the_training_images_can_be_held_out(tmp_path: Path) -> None:
    parsed = load_recipe(recipe(tmp_path / "tiny.yaml"), ["select=train", "select_fraction=0.2"])
    assert parsed.data.select_fraction == 0.2


def test_an_average_needs_two_epochs(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="average_decay needs at least two epochs"):
        load_recipe(recipe(tmp_path / "tiny.yaml"), ["epochs=1", "average_decay=0.9"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("family=cnn_lsmt", r"no family 'cnn_lsmt'; did you mean 'cnn_lstm'"),
        ("model.frozn=true", r"unknown key 'frozn'; did you mean 'frozen'"),
        ("bakcbone=x/y", r"unknown key 'bakcbone'; did you mean 'backbone'"),
        ("image_size=4", r"model: image_size: input should be greater than or equal to 16 \(found 4\)"),
        ("pooling=max", r"model: pooling: input should be 'pooler', 'mean'"),
    ],
)
def test_mistakes_in_the_model_section(tmp_path: Path, override: str, message: str) -> None:
    parsed = load_recipe(recipe(tmp_path / "tiny.yaml"), [override])
    with pytest.raises(RecipeError, match=message):
        zoo.validate(parsed.model)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [1", "is not valid YAML"),
        ("- 1", "must hold a mapping with the keys name, title"),
        ("", "must hold a mapping"),
        ("name: x", "title: field required"),
    ],
)
def test_a_file_that_is_no_recipe(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(path)
    assert str(path) in str(caught.value)


def test_recipes_are_found_by_name_and_the_nearest_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    by_name = load_recipe(Path("slake_cnn_lstm_frozen"))
    assert load_recipe(Path("recipes/slake_cnn_lstm_frozen.yaml")) == by_name
    with pytest.raises(RecipeError, match=r"no recipe slake_cnn_lstm_frozn; did you mean 'slake_cnn_lstm_frozen'"):
        load_recipe(Path("slake_cnn_lstm_frozn"))
    with pytest.raises(RecipeError, match="no recipe elsewhere"):
        load_recipe(Path("elsewhere/slake_cnn_lstm_frozen.yaml"))


def test_an_unknown_metric_is_refused_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="no metric 'acuracy'; did you mean 'accuracy'"):
        check_metric("acuracy")
