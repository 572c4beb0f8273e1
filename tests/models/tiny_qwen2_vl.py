"""A tiny Qwen2-VL and a tiny Qwen2.5-VL, with a tokeniser of bytes and a chat template in the published form."""

import json
from pathlib import Path
from typing import Any

import torch
from tiny_checkpoints import byte_tokens
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
)

_VISION = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", *_VISION)
PATCH, SIDE = 4, 8  # pixels of a patch, and of an image token: two by two patches
WIDE = {"initializer_range": 0.2}  # so that pictures and questions make a difference

TEMPLATE = """\
{%- for message in messages -%}
{%- if loop.first and message.role != 'system' -%}
{{- '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' -}}
{%- endif -%}
{{- '<|im_start|>' + message.role + '\n' -}}
{%- if message.content is string -%}
{{- message.content -}}
{%- else -%}
{%- for piece in message.content -%}
{{- '<|vision_start|><|image_pad|><|vision_end|>' if piece.type == 'image' else piece.text -}}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\n' -}}
{%- endif -%}
"""


def section(folder: Path) -> dict[str, Any]:
    """Write a Qwen2-VL and return the recipe's ``model`` section."""
    return _section(checkpoint(folder))


def section_of_2_5(folder: Path) -> dict[str, Any]:
    """Write a Qwen2.5-VL and return the recipe's ``model`` section."""
    return _section(checkpoint_of_2_5(folder))


def _section(folder: Path) -> dict[str, Any]:
    return {
        "family": "qwen2_vl",
        "checkpoint": str(folder),
        "max_pixels": 24 * 24,
        "lora": {"r": 4, "alpha": 16, "dropout": 0.0, "targets": ["q_proj", "v_proj", "down_proj"]},
        "answering": {"tokens": 24},
    }


def checkpoint(folder: Path, **text: Any) -> Path:
    """Save a Qwen2-VL of two layers in each half; ``text`` changes its language model."""
    vision = {
        "depth": 2,
        "embed_dim": 16,
        "num_heads": 2,
        "hidden_size": 32,
        "mlp_ratio": 2,
        "patch_size": PATCH,
        **WIDE,
    }
    shared = _shared(_tokenizer(folder), text)
    config = Qwen2VLConfig(vision_config=vision, **shared)
    return _saved(folder, Qwen2VLForConditionalGeneration, config)


def checkpoint_of_2_5(folder: Path) -> Path:
    """Save a Qwen2.5-VL whose first vision layer sees windows of two by two image tokens, and its second one all."""
    vision = {
        "depth": 2,
        "hidden_size": 16,
        "num_heads": 2,
        "out_hidden_size": 32,
        "intermediate_size": 32,
        "patch_size": PATCH,
        "window_size": 2 * SIDE,
        "fullatt_block_indexes": [1],
        **WIDE,
    }
    config = Qwen2_5_VLConfig(vision_config=vision, **_shared(_tokenizer(folder), {}))
    return _saved(folder, Qwen2_5_VLForConditionalGeneration, config)


def _tokenizer(folder: Path) -> Any:
    tokenizer = byte_tokens(folder, SPECIAL)
    tokenizer.eos_token, tokenizer.pad_token = "<|im_end|>", "<|endoftext|>"
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    return tokenizer


def _shared(tokenizer: Any, text: dict[str, Any]) -> dict[str, Any]:
    """What both kinds have: language model, and the tokens that stand for pictures."""
    ids = {piece: tokenizer.convert_tokens_to_ids(piece) for piece in SPECIAL}
    language_model = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]},
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        **WIDE,
    }
    return {
        "text_config": {**language_model, **text},
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
        "tie_word_embeddings": text.get("tie_word_embeddings", True),
    }


def _saved(folder: Path, kind: Any, config: Any) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = kind(config)
    model.generation_config.eos_token_id = [config.text_config.eos_token_id, config.text_config.bos_token_id]
    model.generation_config.pad_token_id = config.text_config.bos_token_id
    model.save_pretrained(folder)
    processor = {
        "image_processor_type": "Qwen2VLImageProcessor",
        "min_pixels": SIDE**2,
        "max_pixels": 64 * SIDE**2,
        "patch_size": PATCH,
        "merge_size": 2,
        "temporal_patch_size": 2,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder
