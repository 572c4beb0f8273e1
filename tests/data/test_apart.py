"""A stage may leave out pictures that other data sets hold too: planted copies, and what MedPix shares with VQA-RAD."""

import json
from pathlib import Path
from typing import Any

import leak_data
import pytest

import miniature
from radvqa.commands.plan import plan
from radvqa.commands.recipes import filled_in
from radvqa.commands.train import train
from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.data.leaks.apart import Apart, named, without_pictures_of
from radvqa.errors import DataError, RecipeError
from radvqa.recipe import load_recipe
from radvqa.report.card import model_card
from radvqa.report.plan import show_plan


@pytest.fixture
def slake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of 6 training pictures 0 and 1 have near-duplicates in the test split, 3 a copy in the validation split."""
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path / "data"))
    return leak_data.pictured_slake(tmp_path / "data" / "slake")


def staged(path: Path, *others: str, **source: Any) -> Path:
    miniature.recipe(path, training__epochs=1)
    page = json.loads(path.read_text(encoding="utf-8"))
    del page["training"]["epochs"]
    data = {"name": "slake:en", "without_pictures_of": others, **source}
    page["stages"] = [{"name": "one", "data": [data], "epochs": 1}]
    path.write_text(json.dumps(page), encoding="utf-8")
    return path


@pytest.mark.usefixtures("slake", "fresh_cache")
def test_planted_copies_are_left_out_and_counted() -> None:
    samples = registry.load_split("slake:en", "train")  # four questions about each picture
    kept, told = without_pictures_of(samples, ["slake:en/validate", "slake:en/test"], Problems())
    assert {s.image for s in samples} - {s.image for s in kept} == {f"xmlab{n}/source.jpg" for n in (0, 1, 3)}
    assert kept == [s for s in samples if s in kept]
    assert told == [Apart("slake:en validate", 4, 1, 0), Apart("slake:en test", 8, 2, 2)]


@pytest.mark.usefixtures("slake", "fresh_cache")
def test_a_data_set_without_a_split_stands_for_all_its_splits() -> None:
    samples = registry.load_split("slake:en", "test")
    kept, told = without_pictures_of(samples, ["slake:zh"], Problems())
    assert (kept, told) == ([], [Apart("slake:zh", 12, 3, 0)])  # the same pictures with Chinese questions
    assert without_pictures_of(samples, [], Problems()) == (samples, [])


@pytest.mark.usefixtures("slake", "fresh_cache")
def test_a_picture_on_both_sides_is_the_same_and_not_only_nearly() -> None:
    samples = registry.load("slake:en")
    _, told = without_pictures_of(samples, ["slake:en/test"], Problems())
    # its own three pictures, and the two of the training split that look like them
    assert told == [Apart("slake:en test", 20, 5, 2)]


@pytest.mark.usefixtures("slake")
@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("slaek:en/test", "There is no data set 'slaek'; did you mean 'slake'?"),
        ("slake:em/test", "slake has no version 'em'; did you mean 'en'?"),
        ("slake:en/tset", "slake:en has no split 'tset'; did you mean 'test'?"),
    ],
)
def test_unknown_names_name_their_nearest_and_the_place(other: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as found:
        named(other)
    assert said in str(found.value)
    with pytest.raises(RecipeError) as refused:
        filled_in(staged(tmp_path / "tiny.yaml", other))
    assert f"stages.1 (one): slake:en: without_pictures_of: {said}" in str(refused.value)


def test_names_are_read(slake: Path) -> None:
    assert named("slake:en/test") == ("slake:en", "test")
    assert named("slake") == ("slake", "")


@pytest.mark.usefixtures("slake", "fresh_cache")
def test_the_plan_the_run_and_its_card_say_what_was_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = staged(tmp_path / "tiny.yaml", "slake:en/test", where={"answer_type": "CLOSED"})
    entry = {"stage": "one", "source": "slake:en", "of": "slake:en test", "samples": 4, "pictures": 2, "near": 2}
    found = plan(recipe, measure=False)
    assert found["left_apart"] == [entry]
    assert found["stages"][0]["sources"][0]["samples"] == 12 - 4
    show_plan(found)
    said = "one: slake:en without 4 samples about 2 pictures that slake:en test holds too (2 of them nearly)."
    assert said in " ".join(capsys.readouterr().out.split())
    run = train(recipe, out=tmp_path / "run")
    assert run.facts["left_apart"] == [entry]
    assert run.provenance["data"]["one: slake:en train"]["questions"] == 8
    assert said in " ".join(capsys.readouterr().err.split())
    card = model_card(run.folder)
    assert "left out of slake:en (one): 4 samples about 2 pictures that slake:en test holds too" in card


@pytest.mark.usefixtures("slake", "fresh_cache")
def test_exactly_so_many_and_at_most_so_many_are_taken_of_what_is_left(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="17 samples are asked for, and there are 16"):
        plan(staged(tmp_path / "tiny.yaml", "slake:en/test", samples=17), measure=False)
    found = plan(staged(tmp_path / "tiny.yaml", "slake:en/test", cap=13), measure=False)
    assert found["stages"][0]["sources"][0]["samples"] == 13


@pytest.mark.usefixtures("slake", "fresh_cache")
def test_a_source_that_would_lose_everything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="stage one: slake:en train: every picture also occurs in slake:zh;"):
        plan(staged(tmp_path / "tiny.yaml", "slake:zh"), measure=False)


@pytest.mark.usefixtures("slake", "fresh_cache")
def test_runs_that_leave_nothing_out_are_as_they_were(tmp_path: Path) -> None:
    """A run of an older version goes on: its recipe has no such key."""
    run = train(staged(tmp_path / "tiny.yaml"), out=tmp_path / "run")
    assert "without_pictures_of" not in run.recipe["stages"][0]["data"][0]
    assert "left_apart" not in run.facts
    parsed = load_recipe(staged(tmp_path / "other.yaml", "slake:en/test"))
    assert parsed.resolved()["stages"][0]["data"][0]["without_pictures_of"] == ["slake:en/test"]


@pytest.mark.real_data
def test_what_medpix_shares_with_vqa_rad() -> None:
    """By file name 19 pictures, 10 of them VQA-RAD test; two of the 19 are cropped, and are VQA-RAD training pictures.

    By what they show 19 pictures of MedPix are copies, 12 of them of 11 test pictures: all 10 are among these.
    """
    samples = registry.load("medpix2:captions")
    _, everything = without_pictures_of(samples, ["vqa_rad:official"], Problems())
    assert everything == [Apart("vqa_rad:official", 19, 19, 19)]
    kept, told = without_pictures_of(samples, ["vqa_rad:official/test"], Problems())
    assert told == [Apart("vqa_rad:official test", 12, 12, 12)]
    tested = {Path(s.image).stem for s in registry.load_split("vqa_rad:official", "test")}
    assert len({n for s in samples if (n := Path(s.image).stem.partition("_")[2]) in tested}) == 10
    assert not [s.image for s in kept if Path(s.image).stem.partition("_")[2] in tested]
    training = registry.load_split("medpix2:captions", "train")
    assert [one.samples for one in without_pictures_of(training, ["vqa_rad:official/test"], Problems())[1]] == [10]
