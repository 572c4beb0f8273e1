"""A tiny PaliGemma, and a tiny PaliGemma 2 whose sliding window is shorter than any prompt."""

from pathlib import Path
from typing import Any

import torch
from tiny_checkpoints import byte_tokens
from transformers import (
    AddedToken,
    Gemma2Config,
    GemmaConfig,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    PaliGemmaProcessor,
    PreTrainedConfig,
    SiglipImageProcessorPil,
    SiglipVisionConfig,
)

SIDE, PATCH = 32, 16  # pixels
IMAGE_TOKENS = 4
WINDOW = 12  # positions that a sliding layer of PaliGemma 2 sees

_SHAPE = {
    "hidden_size": 24,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 0,
}


def section(folder: Path, side: int = SIDE, patch: int = PATCH) -> dict[str, Any]:
    """Write a PaliGemma and return the recipe's ``model`` section."""
    words = _processor(folder, side, patch)
    return _section(folder, GemmaConfig(vocab_size=words, **_SHAPE), side, patch)


def section_2(folder: Path) -> dict[str, Any]:
    """Write a PaliGemma 2 and return the recipe's ``model`` section."""
    words = _processor(folder, SIDE, PATCH)
    config = Gemma2Config(
        vocab_size=words,
        sliding_window=WINDOW,
        query_pre_attn_scalar=8,
        attn_logit_softcapping=2.0,  # low, so that it matters
        final_logit_softcapping=3.0,
        **_SHAPE,
    )
    return _section(folder, config, SIDE, PATCH)


def _processor(folder: Path, side: int, patch: int) -> int:
    """Save tokeniser and image processor as published; returns the number of words."""
    tokenizer = byte_tokens(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": [AddedToken("<image>", normalized=False, special=True)]})
    images = SiglipImageProcessorPil(
        size={"height": side, "width": side},
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
        image_seq_length=(side // patch) ** 2,
    )
    processor = PaliGemmaProcessor(image_processor=images, tokenizer=tokenizer)
    processor.save_pretrained(folder)
    return len(tokenizer)


def _section(folder: Path, text: PreTrainedConfig, side: int, patch: int) -> dict[str, Any]:
    vision = SiglipVisionConfig(
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=side,
        patch_size=patch,
        vision_use_head=False,
    )
    width = text.hidden_size
    config = PaliGemmaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=258,
        projection_dim=width,
        hidden_size=width,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(6)
        model = PaliGemmaForConditionalGeneration(config)
        for parameter in model.parameters():  # wide enough that answers differ between questions and pictures
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.2)
        torch.nn.init.normal_(model.lm_head.weight, std=0.08)
    model.save_pretrained(folder)
    lora = {
        "r": 4,
        "alpha": 16,
        "dropout": 0.0,
        "targets": ["q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj"],
    }
    return {"family": "paligemma", "checkpoint": str(folder), "lora": lora, "answering": {"tokens": 24}}
