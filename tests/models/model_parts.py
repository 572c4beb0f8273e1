"""Small models on made-up pictures, for the tests of this room."""

from pathlib import Path
from typing import Any

import torch

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.models import zoo
from radvqa.models.family import Context, VqaModel
from radvqa.models.vision import VisionSpec, VisionTower
from radvqa.recipe import ModelSection
from radvqa.sample import Sample

TINY: dict[str, Any] = {"embedding_size": 16, "hidden_sizes": [16, 16], "depths": [1, 1]}


def tower(seed: int = 0, pooling: Any = "pooler") -> VisionTower:
    """A ResNet of two small layers with random weights, in evaluation mode."""
    vision = VisionTower(VisionSpec("microsoft/resnet-18", pretrained=False, pooling=pooling, config=TINY, seed=seed))
    return vision.eval()


def section(**changes: Any) -> ModelSection:
    """The model section of a tiny CNN-LSTM."""
    values = {
        "family": "cnn_lstm",
        "backbone": "microsoft/resnet-18",
        "pretrained": False,
        "backbone_config": TINY,
        "image_size": 32,
        "question_length": 8,
        "embedding_size": 12,
        "image_vector_size": 12,
        "hidden_size": 16,
    }
    return ModelSection.model_validate({**values, **changes})


def built(training: list[Sample], **changes: Any) -> VqaModel:
    """A tiny CNN-LSTM for these samples."""
    return zoo.build(section(**changes), Context(training=training, seed=3))


def split(name: str) -> list[Sample]:
    """A split of the miniature SLAKE."""
    return registry.load_split("slake:en", name)


def steps(model: VqaModel, training: list[Sample], number: int = 3) -> None:
    """Train for a few steps."""
    prepared = model.prepare(training, Problems())
    optimizer = torch.optim.Adam([p for p in model.module.parameters() if p.requires_grad], 0.01)
    model.module.train()
    for _ in range(number):
        optimizer.zero_grad()
        model.loss(prepared, torch.arange(len(training))).loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def pretrained_folder(folder: Path, seed: int = 0) -> Path:
    """Save a tiny ResNet as publishers do: ``config.json`` and ``model.safetensors``."""
    model: Any = tower(seed).model
    model.save_pretrained(folder)
    return folder
