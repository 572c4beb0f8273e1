"""The image side of a tiny CLIP beside a tiny BERT, both with low-rank additions."""

from pathlib import Path
from typing import Any

import torch
from tiny_cnn_bert import bert
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

SIDE = 32


def clip(folder: Path) -> Path:
    """Save a whole CLIP whose image side has two layers and sixteen patches of 8 pixels."""
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    with torch.random.fork_rng():
        torch.manual_seed(4)
        config = CLIPConfig(
            text_config={**sizes, "vocab_size": 30, "max_position_embeddings": 12},
            vision_config={**sizes, "image_size": SIDE, "patch_size": 8, "initializer_range": 0.2},
            projection_dim=8,
            initializer_factor=4.0,
        )
        CLIPModel(config).save_pretrained(folder)
    processor = CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    processor.save_pretrained(folder)
    return folder


def section(folder: Path) -> dict[str, Any]:
    """Write the checkpoints and return the recipe's ``model`` section."""
    return {
        "family": "clip_bert",
        "vision": str(clip(folder / "vision")),
        "text": str(bert(folder / "text")),
        "hidden_size": 24,
        "dropout": 0.0,
        "train": {"vision": "lora", "text": "lora"},
        "lora": {"r": 4, "alpha": 16, "dropout": 0.0, "targets": ["q_proj", "v_proj", "query", "value"]},
    }
