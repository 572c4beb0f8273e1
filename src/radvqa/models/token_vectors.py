"""Vectors of the tokens of short texts, from one layer of a frozen text encoder."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from radvqa.errors import WeightsError
from radvqa.weights import find_weights

_TEXTS_PER_PASS = 32
_LONGEST = 512  # tokens; some tokenisers name no limit


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """One text.

    Attributes:
        vectors: of every token, special ones included, each of length 1, ``(t, d)``.
        words: which tokens are not special (``[CLS]``, ``[SEP]`` …), ``(t,)``.
    """

    vectors: Tensor
    words: Tensor


class TokenEncoder(nn.Module):
    """Any BERT-like encoder by name.

    Args:
        name: ``org/name`` or a folder.
        layer: which layer's output, counted from 1; the last by default.

    Raises:
        WeightsError: when the weights are found nowhere, or there is no such layer.
    """

    def __init__(self, name: str, layer: int | None = None) -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer

        folder = find_weights(name)
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32, use_safetensors=True)
        layers = int(self.model.config.num_hidden_layers)
        self.name, self.size = name, int(self.model.config.hidden_size)
        self.layer = layers if layer is None else layer
        if not 1 <= self.layer <= layers:
            raise WeightsError(f"{name} has layers 1 to {layers}; there is no layer {self.layer}.")
        self.requires_grad_(False)
        self.eval()

    def encode(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Encode distinct texts in evaluation mode, cut at what the model can read; the result lies on the CPU."""
        device = next(self.model.parameters()).device
        longest = min(self.tokenizer.model_max_length, _LONGEST)
        encoded: dict[int, TokenVectors] = {}
        by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))  # texts of one length pad little
        for start in range(0, len(by_length), _TEXTS_PER_PASS):
            rows = by_length[start : start + _TEXTS_PER_PASS]
            tokens = self.tokenizer(
                [texts[row] for row in rows],
                padding=True,
                truncation=True,
                max_length=longest,
                return_special_tokens_mask=True,
                return_tensors="pt",
            )
            special = tokens.pop("special_tokens_mask").bool()
            with torch.no_grad():
                hidden = self.model(**tokens.to(device), output_hidden_states=True).hidden_states[self.layer]
            vectors = nn.functional.normalize(hidden, dim=2).cpu()
            lengths = tokens["attention_mask"].sum(1).tolist()
            for row, text_vectors, text_special, length in zip(rows, vectors, special, lengths, strict=True):
                encoded[row] = TokenVectors(text_vectors[:length].clone(), ~text_special[:length])
        return [encoded[row] for row in range(len(texts))]
