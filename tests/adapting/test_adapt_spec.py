"""A specification is checked before anything starts, and says in one sentence what is wrong with it."""

from pathlib import Path

import adapting_parts
import pytest

from radvqa.adapting.spec import LanguageSpec, VisionSpec, load_spec
from radvqa.errors import RecipeError


@pytest.fixture
def language(tmp_path: Path) -> Path:
    return adapting_parts.page(tmp_path / "language.yaml", adapting_parts.language_values(Path("org/name")))


@pytest.mark.parametrize("name", ["language_radiology_8", "language_first_8"])
def test_shipped_language_pages_are_found_by_name_and_hold(name: str) -> None:
    spec = load_spec(LanguageSpec, Path(name))
    assert (spec.name, spec.layers) == (name, 8)


def test_the_first_layers_are_measured_on_the_texts_that_the_others_learn() -> None:
    first, radiology = (load_spec(LanguageSpec, Path(f"language_{name}_8")) for name in ("first", "radiology"))
    assert first.training.steps == 0
    same = {"texts", "held_out", "block_tokens", "checkpoint", "layers"}
    assert first.model_dump(include=same) == radiology.model_dump(include=same)


def test_the_shipped_vision_page_keeps_vqa_rad_out_on_both_sides() -> None:
    spec = load_spec(VisionSpec, Path("recipes/adapt/vision_radiology.yaml"))
    assert spec.learn.without_pictures_of == spec.select.without_pictures_of == ("vqa_rad",)
    assert (spec.learn.split, spec.select.split) == ("train", "dev")


def test_overrides_reach_every_place(language: Path) -> None:
    changes = ["layers=1", "lr=1e-3", "training.seed=7", "texts.2.split=dev", "steps=0"]
    spec = load_spec(LanguageSpec, language, changes)
    assert (spec.layers, spec.training.learning_rate, spec.training.seed, spec.training.steps) == (1, 1e-3, 7, 0)
    assert [source.split for source in spec.texts] == ["train", "dev"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("layer=3", "unknown key 'training.layer'"),
        ("texts.3.split=dev", "no member of a list of 2"),
        ("texts.1=dev", "name a key of a member"),
        ("layers", "write key=value"),
        ("layers=0", "greater than or equal to 1"),
        ("texts.1.text=caption", "'answer', 'context' or 'question and answer'"),
        ("texts.1.where={organs: Head}", "did you mean 'organ'"),
        ("held_out=1.5", "less than 1"),
        ("name.first=1", "'name' is no section"),
        ("layers=[", "not valid YAML"),
    ],
)
def test_a_wrong_override_is_named(language: Path, override: str, message: str) -> None:
    with pytest.raises(RecipeError) as error:
        load_spec(LanguageSpec, language, [override])
    assert message in str(error.value)


def test_an_unknown_page_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="did you mean 'vision_radiology'"):
        load_spec(VisionSpec, Path("vision_radiolgy"))
    (tmp_path / "list.yaml").write_text("- 1", encoding="utf-8")
    with pytest.raises(RecipeError, match="must hold a mapping"):
        load_spec(VisionSpec, tmp_path / "list.yaml")


def test_pictures_must_be_chosen_on_what_they_are_learned_from(tmp_path: Path) -> None:
    values = adapting_parts.vision_values(Path("org/name"), Path("org/text"))
    path = adapting_parts.page(tmp_path / "vision.yaml", values)
    assert load_spec(VisionSpec, path).learn.labels == ("modality", "context.Plane")
    with pytest.raises(RecipeError, match="learn and select must name the same labels"):
        load_spec(VisionSpec, path, ["select.labels=[modality]"])
    with pytest.raises(RecipeError, match="nothing to learn"):
        load_spec(VisionSpec, path, ["learn.captions=false", "learn.labels=[]", "classes=[]"])
