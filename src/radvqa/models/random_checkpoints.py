"""Checkpoints of random weights in the hub's own layout, at a published size or smaller, to time models without a hub.

Weights are drawn from a fixed seed, wide enough that answers differ between questions and pictures. Tokenisers know
the words of the texts that they are made for, and spell others; the rest of the vocabulary is made up, so that what a
random model writes can be read and compared.
"""

import string
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from torch import nn

from radvqa.models.architectures import ARCHITECTURES
from radvqa.models.seeding import seeded

Size = Literal["tiny", "small", "base"]
SIZES: tuple[Size, ...] = get_args(Size)

_SEED = 0
_WIDTH = 0.7  # standard deviation of a matrix's outputs, for inputs of variance one
_LLM_WIDTH = 1.0
_SURE = 4.0  # standard deviation of logits, so that answers are given with some confidence
_CHARACTERS = string.ascii_lowercase + string.digits + string.punctuation
_ANSWER_TOKENS = 5  # an answer of random weights hardly ever ends; real ones have about as many

_BLIP = "Salesforce/blip-vqa-base"
_VIT = "microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224"
_SMOL = "HuggingFaceTB/SmolLM2-135M-Instruct"
_BERT = "google-bert/bert-base-uncased"
_CLIP = "openai/clip-vit-base-patch32"
_VILT = "dandelin/vilt-b32-finetuned-vqa"
_RESNETS: Mapping[Size, str] = {
    "base": "microsoft/resnet-50",
    "small": "microsoft/resnet-18",
    "tiny": "microsoft/resnet-18",
}


def _shape(hidden: int, layers: int, heads: int) -> dict[str, int]:
    return {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * hidden,
    }


_SHAPES: Mapping[Size, Mapping[str, int]] = {"base": {}, "small": _shape(384, 4, 6), "tiny": _shape(32, 2, 2)}


def write(family: str, size: Size, folder: Path, texts: Sequence[str]) -> dict[str, Any]:
    """Write what a family loads.

    Args:
        family: one of ``MAKERS``.
        size: ``base`` is the architecture as published, ``tiny`` is for tests.
        folder: where to.
        texts: whose words the tokenisers shall know.

    Returns:
        the ``model`` section of a recipe, ``family`` included.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with seeded(_SEED):
        return {"family": family, **MAKERS[family](folder, size, texts)}


def _blip(folder: Path, size: Size, texts: Sequence[str]) -> dict[str, Any]:
    from transformers import BlipForQuestionAnswering, BlipImageProcessorPil

    side, patch = {"base": (384, 16), "small": (384, 16), "tiny": (32, 8)}[size]
    words = None if size == "tiny" else 30522
    begin = len(_bert_words(folder, texts, words))  # as published: beyond the tokeniser, within the embeddings
    text = {**_SHAPES[size], "vocab_size": begin + 2, "bos_token_id": begin, "sep_token_id": 3, "pad_token_id": 0}
    vision = {**_SHAPES[size], "image_size": side, "patch_size": patch}
    config = _config(_BLIP, text_config=text, vision_config=vision)
    _save(BlipForQuestionAnswering(config), folder)
    BlipImageProcessorPil(size={"height": side, "width": side}).save_pretrained(folder)
    return {"checkpoint": str(folder), "answering": {"tokens": _ANSWER_TOKENS}, "precision": "fp32"}


def _linear_llm(folder: Path, size: Size, texts: Sequence[str]) -> dict[str, Any]:
    from transformers import LlamaForCausalLM, ViTModel

    side, patch = (224, 16) if size != "tiny" else (32, 8)
    _save(ViTModel(_config(_VIT, **_SHAPES[size], image_size=side, patch_size=patch)), folder / "vision")
    words = _llm_words(folder / "llm", texts, None if size == "tiny" else 49152)
    grouped = {"num_key_value_heads": _SHAPES[size]["num_attention_heads"] // 2} if _SHAPES[size] else {}
    ends = {"vocab_size": len(words), "bos_token_id": 0, "eos_token_id": 1}
    _save(LlamaForCausalLM(_config(_SMOL, **{**_SHAPES[size], **grouped, **ends})), folder / "llm", width=_LLM_WIDTH)
    return {
        "vision": str(folder / "vision"),
        "image_size": side,
        "language_model": str(folder / "llm"),
        "answering": {"tokens": _ANSWER_TOKENS},
        "precision": "fp32",
    }


def _qformer_llm(folder: Path, size: Size, texts: Sequence[str]) -> dict[str, Any]:
    tiny = {"query_transformer": {"queries": 4, "layers": 2, "heads": 2, "size": 16}} if size == "tiny" else {}
    return {**_linear_llm(folder, size, texts), **tiny}


def _cnn_bert(folder: Path, size: Size, texts: Sequence[str]) -> dict[str, Any]:
    from transformers import ResNetModel

    # fewer than 16 channels before a strided 1x1 convolution crash oneDNN's backward pass on two threads (torch 2.13,
    # CPUs with AVX-512); no published ResNet has so few
    tiny = {"embedding_size": 16, "hidden_sizes": [16, 16], "depths": [1, 1]} if size == "tiny" else {}
    _save(ResNetModel(_config(_RESNETS[size], **tiny)), folder / "vision")
    return {
        "vision": str(folder / "vision"),
        "image_size": 32 if size == "tiny" else 224,
        "text": str(_bert(folder / "text", size, texts)),
    }


def _clip_bert(folder: Path, size: Size, texts: Sequence[str]) -> dict[str, Any]:
    from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModel

    side, patch = (224, 32) if size != "tiny" else (32, 8)
    config = CLIPVisionConfig(**_SHAPES[size], image_size=side, patch_size=patch)
    _save(CLIPVisionModel(config), folder / "vision")
    square = {"height": side, "width": side}
    CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size=square).save_pretrained(folder / "vision")
    return {"vision": str(folder / "vision"), "text": str(_bert(folder / "text", size, texts))}


def _vilt(folder: Path, size: Size, texts: Sequence[str]) -> dict[str, Any]:
    from transformers import ViltForQuestionAnswering, ViltImageProcessorPil

    side, patch = {"base": (384, 32), "small": (384, 32), "tiny": (32, 8)}[size]
    words = _bert_words(folder, texts, None if size == "tiny" else 30522)
    changes = {**_SHAPES[size], "vocab_size": len(words), "image_size": side, "patch_size": patch}
    _save(ViltForQuestionAnswering(_config(_VILT, **changes)), folder)
    ViltImageProcessorPil(size={"shortest_edge": side}, size_divisor=patch).save_pretrained(folder)
    return {"checkpoint": str(folder)}


MAKERS: Mapping[str, Callable[[Path, Size, Sequence[str]], dict[str, Any]]] = {
    "blip": _blip,
    "clip_bert": _clip_bert,
    "cnn_bert": _cnn_bert,
    "linear_llm": _linear_llm,
    "qformer_llm": _qformer_llm,
    "vilt": _vilt,
}
"""How each family's checkpoint is written: folder, size, texts → the options of a recipe's ``model`` section."""


def _bert(folder: Path, size: Size, texts: Sequence[str]) -> Path:
    from transformers import BertModel

    words = _bert_words(folder, texts, None if size == "tiny" else 30522)
    _save(BertModel(_config(_BERT, **_SHAPES[size], vocab_size=len(words))), folder)
    return folder


def _config(published: str, **changes: Any) -> Any:
    """The configuration of a published architecture, with changes; nested ones are changed key by key."""
    from transformers import AutoConfig

    values: dict[str, Any] = dict(ARCHITECTURES[published])
    for key, value in changes.items():
        known = values.get(key)
        values[key] = {**known, **value} if isinstance(known, Mapping) else value
    return AutoConfig.for_model(values.pop("model_type"), **values)


def _save(model: nn.Module, folder: Path, *, width: float = _WIDTH) -> None:
    for parameter in model.parameters():
        if parameter.ndim == 2:
            nn.init.normal_(parameter, std=width * parameter.shape[1] ** -0.5)
    for module in model.modules():
        if isinstance(module, nn.Embedding):  # heads that write are tied to them
            nn.init.normal_(module.weight, std=_SURE * module.embedding_dim**-0.5)
    saved: Any = model
    saved.save_pretrained(folder)


def _bert_words(folder: Path, texts: Sequence[str], size: int | None) -> Any:
    """A BERT tokeniser: ``[PAD]`` 0, ``[UNK]`` 1, ``[CLS]`` 2, ``[SEP]`` 3."""
    from transformers import BertTokenizerFast

    vocabulary = _vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], texts, size)
    tokenizer = BertTokenizerFast(vocab={word: number for number, word in enumerate(vocabulary)})
    tokenizer.save_pretrained(folder)
    return tokenizer


def _llm_words(folder: Path, texts: Sequence[str], size: int | None) -> Any:
    """A tokeniser of words, without a pad token: ``<s>`` 0, ``</s>`` 1."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = _vocabulary(["<s>", "</s>", "[UNK]"], texts, size)
    numbers = {word: number for number, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(vocab=numbers, unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")  # noqa: S106
    fast.save_pretrained(folder)
    return fast


def _vocabulary(special: Sequence[str], texts: Sequence[str], size: int | None) -> list[str]:
    """Special tokens, the words of the texts, characters, and made-up words up to the size."""
    from tokenizers import pre_tokenizers

    split = pre_tokenizers.BertPreTokenizer()
    words = [word for text in texts for word, _ in split.pre_tokenize_str(text.lower())]
    known = [*special, *words, *_CHARACTERS, *(f"##{character}" for character in _CHARACTERS)]
    vocabulary = list(dict.fromkeys(known))
    made_up = [f"word{number}" for number in range((size or 0) - len(vocabulary))]
    return vocabulary + made_up
