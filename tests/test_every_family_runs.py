"""``radvqa train``, ``predict``, ``score`` and ``merge`` with every family, on tiny checkpoints."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from radvqa import files
from radvqa.commands.merge import merge
from radvqa.commands.predict import predict
from radvqa.commands.score import score
from radvqa.commands.train import train
from radvqa.data import registry, split_file
from radvqa.errors import RunError
from radvqa.models.zoo import FAMILIES
from radvqa.run import Run

sys.path.insert(0, str(Path(__file__).parent / "models"))

TRAINED = [name for name in FAMILIES if name not in ("endpoint", "coattention")]
WITHOUT_LORA = ("cnn_lstm", "cnn_bert")


def recipe(folder: Path, family: str, data: dict[str, Any]) -> Path:
    """Write a recipe with a tiny checkpoint of a family."""
    model = importlib.import_module(f"tiny_{family}").section(folder / "weights")
    training = {
        "epochs": 1,
        "batch_size": 32,
        "images_per_batch": 6,
        "optimizer": "adamw",
        "learning_rate": 0.01,
        "select_by": "token_f1",
        "device": "cpu",
        "threads": 1,
        "seed": 3,
    }
    page = {"name": f"tiny_{family}", "title": f"A tiny {family}", "data": data, "model": model, "training": training}
    path = folder / "recipe.yaml"
    path.write_text(json.dumps(page), encoding="utf-8")  # JSON is YAML
    return path


def assert_whole(run: Run, family: str, questions: int) -> None:
    """Predictions of every question, none of which repeats its prompt, and scores."""
    predictions = list(files.read_jsonl(run.folder / "predictions.jsonl"))
    assert len(predictions) == questions
    assert not [row for row in predictions if row["question"].lower() in row["prediction"].lower()]
    assert run.facts["parameters"]["trainable"] > 0
    assert run.history[0]["train_loss"] > 0
    adapters = list((run.checkpoints / "adapter").rglob("adapter_config.json"))
    assert bool(adapters) == (family not in WITHOUT_LORA)


@pytest.mark.slow
@pytest.mark.parametrize("family", TRAINED)
def test_on_the_phantom(family: str, tmp_path: Path) -> None:
    data = {"name": "phantom:mini", "train": "train", "select": "validate", "test": "test"}
    run = train(recipe(tmp_path, family, data), out=tmp_path / "run")
    predict(run.folder)
    scores = score(run.folder)
    assert_whole(run, family, len(registry.load_split("phantom:mini", "test")))
    assert 0 <= scores["subsets"]["overall"]["accuracy"] <= 100
    if family == "cnn_lstm":
        with pytest.raises(RunError, match="not made of checkpoints that other tools load"):
            merge(run.folder, tmp_path / "merged")
    else:
        assert list(merge(run.folder, tmp_path / "merged").rglob("config.json"))
        with pytest.raises(RunError, match="exists already"):
            merge(run.folder, tmp_path / "merged")


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("family", TRAINED)
def test_on_slake(family: str, tmp_path: Path) -> None:
    splits = {}
    for split, count in (("train", 160), ("validate", 40), ("test", 40)):
        samples = registry.load_split("slake:en", split)
        splits[split] = tmp_path / f"{split}.json"
        split_file.write(splits[split], "slake:en", split, samples, {s.id: "kept short" for s in samples[count:]})
    data = {
        "name": "slake:en",
        "train": str(splits["train"]),
        "select": str(splits["validate"]),
        "test": str(splits["test"]),
    }
    run = train(recipe(tmp_path, family, data), out=tmp_path / "run", doctor=False)
    predict(run.folder)
    score(run.folder)
    assert_whole(run, family, 40)


def test_a_model_that_learns_nothing_is_measured_as_it_is(tmp_path: Path) -> None:
    data = {"name": "phantom:mini", "train": "train", "select": "validate", "test": "test"}
    path = recipe(tmp_path, "linear_llm", data)
    page = json.loads(path.read_text(encoding="utf-8"))
    page["model"]["train"] = dict.fromkeys(("vision", "fusion", "language_model"), "frozen")
    path.write_text(json.dumps(page), encoding="utf-8")
    run = train(path, out=tmp_path / "run")
    facts = run.facts
    assert (run.finished, facts["best_epoch"], facts["epochs"], facts["stages"]) == (True, None, 0, [])
    assert [(row["step"], row["epoch"], row["best"]) for row in run.history] == [(0, 0, True)]
    assert facts["selected"] == {"metric": "token_f1", "value": run.history[0]["val_token_f1"]}
    cost = facts["cost"]
    assert (cost["samples"], cost["flops"], cost["flops_how"]) == (0, 0, "nothing was trained")
    assert cost["evaluation_seconds"] > 0
    assert {part: counted["trainable"] for part, counted in cost["parameters"]["by_part"].items()} == dict.fromkeys(
        ("vision", "fusion", "language_model"), 0
    )
    assert cost["parameters"]["total"] == facts["parameters"]["total"] > 0
    predict(run.folder)
    assert score(run.folder)["subsets"]["overall"]["n"] == len(registry.load_split("phantom:mini", "test"))
