"""A tiny ViLT for question answering, in the layout of ``dandelin/vilt-b32-finetuned-vqa``."""

from pathlib import Path
from typing import Any

import torch
from tiny_checkpoints import WORDS, word_pieces
from transformers import ViltConfig, ViltForQuestionAnswering, ViltImageProcessorPil

SIDE, PATCH = 32, 8  # pixels


def section(folder: Path, positions: int = 160) -> dict[str, Any]:
    """Write the checkpoint and return the recipe's ``model`` section."""
    tokenizer = word_pieces(folder, WORDS)
    config = ViltConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=positions,
        hidden_size=24,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=PATCH,
        num_labels=7,
        initializer_range=0.2,
    )
    with torch.random.fork_rng():
        torch.manual_seed(4)
        model = ViltForQuestionAnswering(config)
        for parameter in model.vilt.parameters():  # positions and class token begin at zero
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    ViltImageProcessorPil(size={"shortest_edge": SIDE}, size_divisor=PATCH).save_pretrained(folder)
    return {"family": "vilt", "checkpoint": str(folder)}
