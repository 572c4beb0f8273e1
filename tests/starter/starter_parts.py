"""A tiny DINOv2 of random weights, and a tiny run of the starter's kind on the made-up SLAKE."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import miniature
from radvqa import files
from radvqa.commands.predict import predict
from radvqa.commands.score import score
from radvqa.commands.starter import backbone
from radvqa.commands.train import train
from radvqa.models import region_head
from radvqa.models.seeding import seeded
from radvqa.run import Run

SIDE = 56  # pixels; 4 × 4 patches


def dinov2(folder: Path, seed: int = 0) -> Path:
    """Write a published backbone: positions of another picture size, layer scales that are not one."""
    import torch
    from transformers import Dinov2Config, Dinov2Model

    with seeded(seed):
        model = Dinov2Model(
            Dinov2Config(hidden_size=32, num_attention_heads=2, num_hidden_layers=2, image_size=98, patch_size=14)
        ).eval()
        for name, parameter in model.named_parameters():
            torch.nn.init.normal_(parameter, mean=float("norm" in name and "weight" in name), std=0.3)
    model.save_pretrained(folder)
    normal = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    files.write_json(folder / "preprocessor_config.json", normal)
    return folder


def page(backbone_folder: Path, **changes: Any) -> dict[str, Any]:
    """A recipe of the starter's kind."""
    return {
        "name": "tiny_starter",
        "title": "A starter model for tests",
        "data": {"name": "slake:en", "train": "train", "select": "validate", "test": "test"},
        "model": {
            "family": "coattention",
            "backbone": str(backbone_folder),
            "pooling": "cls+mean",
            "image_size": SIDE,
            "regions": True,
            "region_folds": 2,
            "embedding_size": 8,
            "hidden_size": 12,
            "classifier_size": 10,
            "heads": 3,
            **changes,
        },
        "training": {"epochs": 2, "batch_size": 8, "optimizer": "adamw", "learning_rate": 0.01, "seed": 0},
    }


def trained(folder: Path, backbone_folder: Path, **changes: Any) -> Run:
    """Train, answer and score."""
    recipe = folder.with_suffix(".yaml")
    recipe.write_text(yaml.safe_dump(page(backbone_folder, **changes)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(region_head, "_RAREST", 2)  # the made-up data set has six training pictures
        run = train(recipe, out=folder, doctor=False)
    predict(run.folder)
    score(run.folder)
    return run


def everything(folder: Path) -> tuple[Path, Path, Run]:
    """Make data (``folder/data``), a backbone in 4 bits and a run on it."""
    miniature.slake(folder / "data" / "slake")
    quantised = folder / "quantised"
    backbone(quantised, name=str(dinov2(folder / "published")), side=SIDE)
    return folder / "data", quantised, trained(folder / "run", quantised)
