"""Tiny randomly initialised checkpoints on disk, in the hub's own layout, and tokenisers that know every text.

``tiny_FAMILY.section(folder)`` of each family writes its checkpoint into ``folder`` and returns the ``model`` section
of a recipe that uses it.
"""

import string
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import BertTokenizerFast, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

WORDS = [
    "yes",
    "no",
    "lung",
    "liver",
    "chest",
    "what",
    "is",
    "the",
    "in",
    "image",
    "there",
    "left",
    "right",
    "x",
    "ray",
]
CHARACTERS = string.ascii_lowercase + string.digits + string.punctuation


def word_pieces(folder: Path, words: list[str] | None = None) -> Any:
    """Save a BERT tokeniser that spells what it does not know: ``[PAD]`` 0, ``[UNK]`` 1, ``[CLS]`` 2, ``[SEP]`` 3."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(words or [])]
    pieces += [*CHARACTERS, *(f"##{character}" for character in CHARACTERS)]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(dict.fromkeys(pieces)), encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab=str(vocabulary))
    tokenizer.save_pretrained(folder)
    return tokenizer


def byte_tokens(folder: Path, special: tuple[str, ...] = ()) -> Any:
    """Save a tokeniser of single bytes: ``<s>`` 0, ``</s>`` 1, ``special`` from 2 on, then 256 bytes; no pad token."""
    first = ["<s>", "</s>", *special]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: number for number, piece in enumerate([*first, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", extra_special_tokens=list(special)
    )
    fast.save_pretrained(folder)
    return fast


def llama(folder: Path, *, seed: int = 0, **changes: Any) -> Path:
    """Save a Llama of two layers with a tokeniser of bytes."""
    import torch

    tokenizer = byte_tokens(folder)
    values = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "tie_word_embeddings": True,
        "initializer_range": 0.2,  # wide enough that low-rank additions can move a net this small
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        LlamaForCausalLM(LlamaConfig(**{**values, **changes})).save_pretrained(folder)
    return folder
