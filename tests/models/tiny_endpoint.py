"""A tiny LLaVA for a real server, and the ``model`` section of a recipe that asks an address.

``section`` does not serve: a test opens ``serving_model(folder, name, log)`` or an in-process server, and names its
address.
"""

from pathlib import Path
from typing import Any

import torch
from tiny_checkpoints import byte_tokens
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

SIDE, PATCH = 28, 14
TEMPLATE = (
    "{% for message in messages %}{{ message.role }}: {% for part in message.content %}"
    "{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}{% endfor %}{{ '\n' }}{% endfor %}"
    "assistant:"
)


def section(url: str, **changes: Any) -> dict[str, Any]:
    """Return the recipe's ``model`` section for an address; nothing is written and nothing is asked."""
    return {"family": "endpoint", "base_url": url, "model": "tiny", "max_tokens": 16, "retries": 0, **changes}


def llava(folder: Path) -> Path:
    """Save a LLaVA of two layers on each side that makes four tokens of a picture, in the hub's layout."""
    tokenizer = byte_tokens(folder, ("<image>",))
    processing = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    processor = LlavaProcessor(
        image_processor=processing,
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,  # CLIP's own, which "default" leaves out again
        chat_template=TEMPLATE,
    )
    processor.save_pretrained(folder)
    vision = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=PATCH,
        initializer_factor=8.0,  # wide enough that another picture gets another answer
    )
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        bos_token_id=0,
        eos_token_id=1,
        initializer_range=0.5,
    )
    config = LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=tokenizer.convert_tokens_to_ids("<image>")
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlavaForConditionalGeneration(config).save_pretrained(folder)
    return folder
