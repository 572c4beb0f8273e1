"""``radvqa recipes``: the list, one recipe filled in, and a page that says what the schema says."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from radvqa import cli
from radvqa.commands.prepare import checked
from radvqa.commands.recipes import filled_in, keys_of, recipes, sections
from radvqa.errors import RecipeError
from radvqa.recipe import (
    DataSection,
    LearningSection,
    Recipe,
    SourceSection,
    StageSection,
    TrainingSection,
    load_recipe,
    names_of_recipes,
    parse_recipe,
)
from radvqa.recipe.check import check
from radvqa.recipe.curriculum import stages_of

PAGE = Path(__file__).parents[1] / "docs" / "training.md"


def test_the_page_is_up_to_date(tmp_path: Path) -> None:
    recipes(markdown=tmp_path / "training.md")
    assert PAGE.read_text(encoding="utf-8") == (tmp_path / "training.md").read_text(encoding="utf-8")


def test_every_recipe_is_listed_with_its_stages() -> None:
    listed = {recipe["name"]: recipe for recipe in recipes()["recipes"]}
    assert set(listed) == set(names_of_recipes())
    assert [stage["name"] for stage in listed["curriculum_smollm2"]["stages"]] == ["captions", "pathology", "slake"]
    assert listed["curriculum_smollm2"]["stages"][2]["data"] == ["path_vqa", "medpix2", "slake"]
    assert listed["slake_cnn_lstm_frozen"]["stages"] == [{"name": "training", "data": ["slake:en"]}]
    assert listed["slake_cnn_lstm_frozen"]["reproduces"] == "CNN-LSTM frozen"


def test_every_key_stands_in_one_section() -> None:
    found = sections()
    own = {"training.": set[str](), "stages.1.": set[str]()}
    for section in found:
        keys = {key["key"] for key in section["keys"]}
        if section["before"] in own:
            assert not own[section["before"]] & keys
            own[section["before"]] |= keys
    assert own["training."] == set(TrainingSection.model_fields)
    assert own["stages.1."] | set(LearningSection.model_fields) == set(StageSection.model_fields)
    assert {key["key"] for key in found[0]["keys"]} == set(Recipe.model_fields)


def test_every_key_is_explained_and_every_number_has_its_unit() -> None:
    for section in sections():
        for key in section["keys"]:
            assert key["meaning"], key["key"]
            assert bool(key["unit"]) == ("number" in key["kind"]), f"{section['title']}: {key['key']}"


def test_defaults_are_those_of_the_schema() -> None:
    rows = {row["key"]: row for row in keys_of(SourceSection)}
    assert (rows["name"]["needed"], rows["split"]["needed"], rows["split"]["default"]) == (True, False, "train")
    assert (rows["label"]["default"], rows["repeat"]["default"], rows["weight"]["default"]) == ('""', "1", "null")
    rows = {row["key"]: row for row in keys_of(DataSection, leave_out=("name",))}
    assert set(rows) == set(DataSection.model_fields) - {"name"}


def test_the_example_of_the_page_is_a_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RADVQA_DATA", raising=False)
    written = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert written
    recipe = parse_recipe(yaml.safe_load(written[1]), "the page")
    check(recipe, "the page")
    stages, _ = checked(recipe)
    assert [stage.is_mixed for stage in stages] == [False, True]


def test_the_shares_that_the_page_names_are_those_of_the_engine() -> None:
    from radvqa.training.mix import shares_at_the_beginning

    values: dict[str, Any] = {
        "name": "x",
        "title": "x",
        "data": {"name": "slake:en", "select": "validate"},
        "model": {"family": "qformer_llm"},
        "training": {"epochs": 1},
        "stages": [{"name": "one", "data": [{"name": "a"}, {"name": "b"}]}],
    }
    assert "90 : 10 at temperature 1 and 75 : 25 at 2" in PAGE.read_text(encoding="utf-8")
    for temperature, share in ((1, 0.9), (2, 0.75)):
        values["stages"][0]["temperature"] = temperature
        (stage,) = stages_of(parse_recipe(values, "x"))
        assert shares_at_the_beginning(stage, {"a": 9000, "b": 1000}) == pytest.approx({"a": share, "b": 1 - share})


@pytest.mark.parametrize("name", ["curriculum_smollm2", "curriculum_radbloomz_vqa_rad", "slake_cnn_lstm_frozen"])
def test_a_recipe_filled_in_is_the_same_recipe(name: str, tmp_path: Path) -> None:
    again = tmp_path / "again.yaml"
    again.write_text(yaml.safe_dump(filled_in(Path(name))), encoding="utf-8")
    assert stages_of(load_recipe(again)) == stages_of(load_recipe(Path(name)))
    assert filled_in(again) == filled_in(Path(name))


def test_what_is_filled_in_says_every_stage_whole() -> None:
    values = filled_in(Path("curriculum_radbloomz_slake"), ["stages.captions.lr=2e-5", "data.cap=50"])
    captions, _, slake = values["stages"]
    assert (captions["learning_rate"], slake["learning_rate"], slake["batch_size"]) == (2e-5, 1e-4, 32)
    assert [(row["name"], row["split"], row["cap"]) for row in slake["data"]] == [("slake:en", "train", 50)]
    assert values["model"]["query_transformer"]["dropout"] == 0.1  # a default of the family
    with pytest.raises(RecipeError, match="no recipe curriculum_smolm2; did you mean 'curriculum_smollm2'"):
        filled_in(Path("curriculum_smolm2"))


def test_the_command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["radvqa", "recipes", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
        return capsys.readouterr().out

    assert "captions (medpix2:captions) → pathology" in said()
    assert {one["name"] for one in json.loads(said("--json"))["recipes"]} >= {"curriculum_smollm2"}
    assert yaml.safe_load(said("curriculum_smollm2", "seed=7"))["training"]["seed"] == 7
    assert json.loads(said("curriculum_smollm2", "--json"))["recipe"]["name"] == "curriculum_smollm2"
