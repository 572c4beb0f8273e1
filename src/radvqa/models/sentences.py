"""Sentence vectors of a frozen text encoder, computed once for each distinct question."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from radvqa.weights import find_weights

_SENTENCES_PER_PASS = 32


class SentenceEncoder(nn.Module):
    """Any BERT-like encoder by name; a sentence is the mean of its tokens (Reimers and Gurevych, EMNLP 2019).

    Args:
        name: ``org/name`` or a folder.

    Raises:
        WeightsError: when the weights are found nowhere.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer

        folder = find_weights(name)
        self.name = name
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32, use_safetensors=True)
        self.requires_grad_(False)
        self.eval()
        self.size = int(self.model.config.hidden_size)

    def encode(self, sentences: Sequence[str]) -> Tensor:
        """Encode sentences, ``(sentences, size)``, in evaluation mode; equal ones are encoded once."""
        distinct = list(dict.fromkeys(sentences))
        vectors: dict[str, Tensor] = {}
        by_length = sorted(distinct, key=len)  # sentences of one length pad little
        device = next(self.model.parameters()).device
        with torch.no_grad():
            for start in range(0, len(by_length), _SENTENCES_PER_PASS):
                part = by_length[start : start + _SENTENCES_PER_PASS]
                tokens = self.tokenizer(part, padding=True, truncation=True, return_tensors="pt").to(device)
                hidden = self.model(**tokens).last_hidden_state
                mask = tokens["attention_mask"].unsqueeze(2)
                means = (hidden * mask).sum(1) / mask.sum(1)
                vectors.update(zip(part, means, strict=True))
        return torch.stack([vectors[sentence] for sentence in sentences])
