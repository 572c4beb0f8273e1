"""Tiny co-attention over a tiny DINOv2, told to a tiny Llama cut to one layer."""

from pathlib import Path
from typing import Any

from tiny_checkpoints import llama
from tiny_cnn_bert import bert
from tiny_linear_llm import SIDE, dinov2


def section(folder: Path) -> dict[str, Any]:
    """Write the checkpoints and return the recipe's ``model`` section."""
    sight = {
        "backbone": str(dinov2(folder / "vision")),
        "image_size": SIDE,
        "text_encoder": str(bert(folder / "question")),
        "embedding_size": 8,
        "hidden_size": 16,
        "hops": 2,
        "heads": 2,
        "dropout": 0.0,
        "word_dropout": 0.0,
    }
    return {
        "family": "coattention_llm",
        "sight": sight,
        "image_tokens": 2,
        "language_model": str(llama(folder / "language_model")),
        "language_layers": 1,
        "lora": {"r": 4, "alpha": 16, "dropout": 0.0, "targets": ["q_proj", "v_proj", "down_proj"]},
        "answering": {"tokens": 24},
    }
