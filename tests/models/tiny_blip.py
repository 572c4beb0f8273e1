"""A tiny BLIP for question answering, in the layout of ``Salesforce/blip-vqa-base``."""

from pathlib import Path
from typing import Any

import torch
from tiny_checkpoints import WORDS, word_pieces
from transformers import BlipConfig, BlipForQuestionAnswering, BlipImageProcessorPil

SIDE = 32  # pixels
SEP = 3


def section(folder: Path) -> dict[str, Any]:
    """Write the checkpoint and return the recipe's ``model`` section."""
    tokenizer = word_pieces(folder, WORDS)
    begin = len(tokenizer)  # as published: beyond the tokeniser, within the embeddings
    shape = {"hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BlipConfig(
        text_config={
            **shape,
            "vocab_size": begin + 2,
            "max_position_embeddings": 160,
            "bos_token_id": begin,
            "sep_token_id": SEP,
            "pad_token_id": 0,
        },
        vision_config={**shape, "image_size": SIDE, "patch_size": 8},
    )
    with torch.random.fork_rng():
        model = BlipForQuestionAnswering(config)
        torch.manual_seed(6)
        for parameter in model.parameters():  # wide enough that answers differ between questions and pictures
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.2)
        model.text_decoder.cls.predictions.bias.data[SEP] = 1.0  # some answers end before the limit
    model.save_pretrained(folder)
    BlipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return {
        "family": "blip",
        "checkpoint": str(folder),
        "train": {"vision": "lora", "text_encoder": "lora", "text_decoder": "full"},
        "answering": {"tokens": 24},
    }
