"""The training engine: the average by hand, and what a run leaves; see ``test_stages`` and ``test_resume``."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from miniature import change, radvqa, recipe, starting
from radvqa.commands.ask import ask
from radvqa.commands.compare import compare
from radvqa.commands.predict import predict
from radvqa.commands.prepare import selection_samples
from radvqa.commands.score import score
from radvqa.commands.train import train
from radvqa.data import registry
from radvqa.errors import DataError, RadvqaError, RecipeError, RunError
from radvqa.models.checkpoint import load_model, write_weights
from radvqa.prediction import Prediction, read_predictions
from radvqa.recipe import DataSection
from radvqa.run import Run
from radvqa.training import selection
from radvqa.training.average import WeightAverage


def test_the_average_by_hand() -> None:
    layer = nn.Linear(1, 1, bias=False)
    weight = layer.weight.detach()
    weight.fill_(1.0)
    average = WeightAverage(layer, 0.25)
    weight.fill_(3.0)
    average.update()  # the decay is min(0.25, 2 / 11): 2/11 × 1 + 9/11 × 3
    assert average.average[0].item() == pytest.approx(29 / 11)
    weight.fill_(5.0)
    average.update()  # min(0.25, 3 / 12): ¼ × 29/11 + ¾ × 5
    weight.fill_(7.0)
    average.update()  # min(0.25, 4 / 13): now the decay itself
    expected = 0.25 * (0.25 * 29 / 11 + 0.75 * 5) + 0.75 * 7
    with average.in_place():
        assert layer.weight.item() == pytest.approx(expected)
    assert layer.weight.item() == 7


def test_the_average_is_taken_out_again_after_a_failure() -> None:
    layer = nn.Linear(1, 1)
    average = WeightAverage(layer, 0.9)
    with torch.no_grad():
        layer.weight.fill_(7)
    with pytest.raises(ZeroDivisionError), average.in_place():
        raise ZeroDivisionError
    assert layer.weight.item() == 7


def test_frozen_weights_are_not_averaged() -> None:
    net = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    net[0].requires_grad_(False)
    assert len(WeightAverage(net, 0.9).average) == 2


def test_selection_measures_fractions_and_refuses_what_is_undefined() -> None:
    predictions = [Prediction(str(n), "?", "yes", answer, "CLOSED") for n, answer in enumerate(("yes", "no", "no"))]
    assert selection.measure(predictions, ["accuracy", "accuracy"]) == {"accuracy": pytest.approx(1 / 3)}
    with pytest.raises(RecipeError, match="The metric top5 cannot choose an epoch here"):
        selection.measure(predictions, ["top5"])


def test_a_part_of_the_training_images_is_held_out_whole(mini_slake: Path) -> None:
    samples = registry.load_split("slake:en", "train")
    held = DataSection(name="slake:en", train="train", select="train", test="test", select_fraction=1 / 3)
    learned, chosen = selection_samples(held, samples, [])
    assert (len(learned), len(chosen)) == (16, 8)
    assert not {s.image for s in learned} & {s.image for s in chosen}
    assert selection_samples(held, samples[::-1], [])[1] == chosen[::-1]  # by image name, not by order


@pytest.fixture
def trained(mini_slake: Path, fresh_cache: Path, tmp_path: Path) -> Callable[..., Run]:
    """Train the tiny recipe into a folder of this name."""

    def make(name: str = "run", *overrides: str, **changes: Any) -> Run:
        return train(recipe(tmp_path / "tiny.yaml", **changes), overrides, out=tmp_path / name)

    return make


def test_from_training_to_an_answer(trained: Callable[..., Run], mini_slake: Path, tmp_path: Path) -> None:
    run = trained(training__epochs=40, training__learning_rate=0.02)
    facts = run.facts
    assert run.finished
    assert facts["epochs"] == 40
    assert facts["left_out"] == []
    assert [row["epoch"] for row in run.history] == list(range(1, 41))
    best = max(run.history, key=lambda row: (row["val_accuracy"], -row["epoch"]))  # the first of equal ones
    assert (facts["best_epoch"], facts["selected"]["value"]) == (best["epoch"], best["val_accuracy"])
    assert [row["epoch"] for row in run.history if row["best"]][-1] == best["epoch"]
    assert run.history[-1]["train_loss"] < run.history[0]["train_loss"]
    assert run.provenance["data"]["train"]["questions"] == 24
    assert run.recipe["model"]["dropout"] == 0.2  # every default is written down
    assert (run.folder / "README.md").is_file()

    predictions = read_predictions(predict(run.folder))
    assert [p.id for p in predictions] == [s.id for s in registry.load_split("slake:en", "test")]
    scores = score(run.folder)
    right = sum(p.prediction == p.answer for p in predictions)
    assert scores["subsets"]["overall"]["accuracy"] == pytest.approx(right / 12)
    assert scores["subsets"]["overall"]["accuracy"] > 0.5  # made-up pictures that two rules answer
    assert compare([run.folder])["datasets"][0]["runs"][0]["name"] == "run"
    answered = ask(mini_slake / "imgs/xmlab0/source.jpg", "Which organ is shown?", model=run.folder)
    assert answered["answer"] in {s.answer for s in registry.load_split("slake:en", "train")}
    assert answered["candidates"][0] == {"answer": answered["answer"], "probability": answered["confidence"]}
    assert list(run.examples.glob("*.png"))


def test_the_first_of_the_best_epochs_is_what_predict_loads(
    trained: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = iter([0.2, 0.9, 0.9, 0.1])

    def measure(*_: Any, undefined: float | None = None) -> dict[str, float]:
        return {"accuracy": 0.0 if undefined is None else next(measured), "token_f1": 0.0}  # None: is there a value?

    monkeypatch.setattr(selection, "measure", measure)
    run = trained(training__epochs=4, training__learning_rate=0.05)
    assert (run.facts["best_epoch"], run.facts["selected"]) == (2, {"metric": "accuracy", "value": 0.9})
    assert [row["best"] for row in run.history] == [True, True, False, False]
    best, last = (load_file(run.checkpoints / f"{which}.safetensors") for which in ("best", "last"))
    assert any(not torch.equal(best[name], last[name]) for name in best)
    state = load_model(run.checkpoints, torch.device("cpu")).state()
    assert all(torch.equal(state[name], best[name]) for name in best)


def test_the_same_seed_gives_the_same_run_and_another_another(trained: Callable[..., Run]) -> None:
    def told(run: Run) -> tuple[list[dict[str, Any]], list[Prediction]]:
        return run.history, read_predictions(predict(run.folder))

    first, second = told(trained("one")), told(trained("two"))
    assert first == second
    assert told(trained("three", "training.seed=2")) != first


@pytest.mark.parametrize(
    "changes",
    [
        {"model__frozen": False, "training__images_per_batch": 2, "training__learning_rates": {"vision": 1e-4}},
        {"model__batch_norm_drift": True, "model__pool_over_padding": True, "training__accept": ["frozen_is_frozen"]},
        {
            "training__optimizer": "adamw",
            "training__weight_decay": 0.01,
            "training__schedule": "cosine",
            "training__warmup_epochs": 0.5,
            "training__label_smoothing": 0.1,
            "training__clip_norm": 1.0,
            "training__average_decay": 0.9,
            "training__select_by": "token_f1",
        },
        {"data__select": "train", "data__select_fraction": 0.3},
        {"data__name": "slake:zh"},
    ],
    ids=["unfrozen", "accidents", "bells", "held-out", "chinese"],
)
def test_every_way_to_train_comes_to_its_end(trained: Callable[..., Run], changes: dict[str, Any]) -> None:
    run = trained(**changes, training__epochs=2)
    assert run.finished
    assert all(math.isfinite(row["train_loss"]) and math.isfinite(row["val_loss"]) for row in run.history)
    predict(run.folder)
    score(run.folder)


def test_a_loss_that_is_no_number_is_said_and_the_run_is_not_finished(
    trained: Callable[..., Run], tmp_path: Path
) -> None:
    with pytest.raises(RadvqaError, match=r"loss is not a number any more.*learning_rate or training.clip_norm=1"):
        trained(training__learning_rate=1e38)
    with pytest.raises(RunError, match="was not trained to its end"):
        predict(tmp_path / "run")


def test_bad_pictures_stop_training_or_are_left_out_and_reported(
    trained: Callable[..., Run], mini_slake: Path, tmp_path: Path
) -> None:
    (mini_slake / "imgs/xmlab0/source.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"xmlab0/source.jpg is empty"):
        trained("stopped")
    run = train(recipe(tmp_path / "tiny.yaml"), out=tmp_path / "skipped", skip_bad=True)
    assert len(run.facts["left_out"]) == 1
    assert "(and 3 more rows)" in run.facts["left_out"][0]


def test_rows_lost_between_training_and_predicting_are_noticed(trained: Callable[..., Run], mini_slake: Path) -> None:
    run = trained()
    change(mini_slake / "test.json", lambda rows: rows[0].pop("answer"))
    with pytest.raises(DataError, match=r"test.json, row 1: the key 'answer' is missing"):
        predict(run.folder)
    assert len(read_predictions(predict(run.folder, skip_bad=True))) == 11


def test_a_damaged_checkpoint_is_not_used(trained: Callable[..., Run]) -> None:
    run = trained()
    path = run.checkpoints / "best.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 8
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"best\.safetensors is damaged"):
        predict(run.folder)
    write_weights(path, load_file(run.checkpoints / "last.safetensors"))
    predict(run.folder)


@pytest.mark.slow
def test_from_training_to_an_answer_on_the_command_line(mini_slake: Path, fresh_cache: Path, tmp_path: Path) -> None:
    def said(*arguments: object) -> dict[str, Any]:
        done = radvqa(*arguments, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout)  # one object, and nothing else
        return result

    recipe(tmp_path / "tiny.yaml")
    run = said("train", "tiny.yaml", "epochs=2")
    assert (run["run"], run["epochs"], run["state"]) == ("runs/tiny", 2, "finished")
    assert said("predict", "runs/tiny")["predictions"] == "runs/tiny/predictions.jsonl"
    assert said("score", "runs/tiny")["subsets"]["overall"]["n"] == 12
    compared = said("compare", "runs/tiny", "--html", "page.html")
    assert compared["datasets"][0]["runs"][0]["name"] == "tiny"
    assert (tmp_path / "page.html").stat().st_size > 1000
    answered = said("ask", mini_slake / "imgs/xmlab0/source.jpg", "Which organ is shown?", "--model", "last")
    assert answered["model"] == "tiny"
    assert 0 < answered["confidence"] <= 1


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["run.json", "checkpoints/best.safetensors", "history"])
def test_a_killed_training_is_not_trusted_and_goes_on_or_is_begun_anew(
    mini_slake: Path, fresh_cache: Path, tmp_path: Path, moment: str
) -> None:
    path = recipe(tmp_path / "tiny.yaml", training__epochs=100_000)
    folder = tmp_path / "run"
    process = starting(["-m", "radvqa", "train", path, "--out", folder])
    history = folder / "history.jsonl"

    def reached() -> bool:
        if moment == "history":
            return history.is_file() and len(history.read_text(encoding="utf-8").splitlines()) >= 3
        return (folder / moment).is_file()

    while not reached():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert process.returncode == -9
    for refuse in (predict, score):
        with pytest.raises(RunError, match="was not trained to its end"):
            refuse(folder)
    with pytest.raises(RadvqaError):
        ask(mini_slake / "imgs/xmlab0/source.jpg", "Which organ is shown?", model=folder)
    if moment != "run.json":  # something was learned
        with pytest.raises(RunError, match=r"training\.epochs \(was 100000, is 2\)"):
            train(path, ["epochs=2"], out=folder)
    run = train(path, ["epochs=2"], out=folder, force_new=moment != "run.json")
    assert (run.finished, len(run.history)) == (True, 2)
    predict(folder)
    assert score(folder)["subsets"]["overall"]["n"] == 12
