"""A tiny DINOv2 in front of a tiny Llama, joined by a projector."""

from pathlib import Path
from typing import Any

import torch
from tiny_checkpoints import llama
from transformers import Dinov2Config, Dinov2Model

SIDE = 42


def dinov2(folder: Path) -> Path:
    """Save a DINOv2 of two layers that makes nine patches of 14 pixels."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        config = Dinov2Config(
            hidden_size=24, num_attention_heads=2, num_hidden_layers=2, image_size=SIDE, patch_size=14, mlp_ratio=2
        )
        Dinov2Model(config).save_pretrained(folder)
    return folder


def shared(folder: Path) -> dict[str, Any]:
    """The options that ``linear_llm`` and ``qformer_llm`` share."""
    return {
        "vision": str(dinov2(folder / "vision")),
        "image_size": SIDE,
        "language_model": str(llama(folder / "language_model")),
        "lora": {"r": 4, "alpha": 16, "dropout": 0.0, "targets": ["q_proj", "v_proj", "down_proj"]},
        "answering": {"tokens": 24},
    }


def section(folder: Path) -> dict[str, Any]:
    """Write the checkpoints and return the recipe's ``model`` section."""
    return {"family": "linear_llm", **shared(folder), "projector": {"layers": 1}}
