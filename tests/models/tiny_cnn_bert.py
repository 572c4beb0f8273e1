"""A tiny ResNet beside a tiny BERT."""

from pathlib import Path
from typing import Any

import torch
from tiny_checkpoints import word_pieces
from transformers import BertConfig, BertModel, ResNetConfig, ResNetModel

SIDE = 40


def bert(folder: Path) -> Path:
    """Save a BERT of two layers with its tokeniser."""
    tokenizer = word_pieces(folder, ["is", "the", "what", "there", "?", "lung", "heart"])
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=24,
            max_position_embeddings=140,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            initializer_range=0.2,
        )
        BertModel(config).save_pretrained(folder)
    return folder


def resnet(folder: Path) -> Path:
    """Save a ResNet of two stages whose batch norms have seen something."""
    with torch.random.fork_rng():
        torch.manual_seed(2)
        model = ResNetModel(ResNetConfig(embedding_size=16, hidden_sizes=[16, 16], depths=[1, 1], layer_type="basic"))
        model.train()
        model(pixel_values=torch.randn(8, 3, SIDE, SIDE))
        model.save_pretrained(folder)
    return folder


def section(folder: Path) -> dict[str, Any]:
    """Write the checkpoints and return the recipe's ``model`` section."""
    return {
        "family": "cnn_bert",
        "vision": str(resnet(folder / "vision")),
        "image_size": SIDE,
        "text": str(bert(folder / "text")),
        "hidden_size": 24,
        "dropout": 0.0,
        "train": {"vision": "full", "text": "full"},
    }
