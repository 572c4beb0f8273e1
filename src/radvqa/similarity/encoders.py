"""The neural similarities by name: each compares pairs of texts and encodes every distinct text once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from radvqa.models.sentences import SentenceEncoder
from radvqa.models.token_vectors import TokenEncoder, TokenVectors
from radvqa.scoring.statistics import FloatArray, IntArray

Compare = Callable[[Sequence[str], IntArray], FloatArray]
"""Distinct texts and pairs ``(gold, answer)`` of their rows, ``(p, 2)`` → values, ``(p, columns)``."""


SCORE = 0
"""Column of the value that is called the score; further columns explain it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """An encoder, ready to compare.

    Attributes:
        model: its name or folder.
        compare: distinct texts and pairs of their rows → values of every pair.
        columns: what the values are called; the first is the score.
        settings: what besides the model decides the values.
    """

    model: str
    compare: Compare
    columns: tuple[str, ...]
    settings: dict[str, int]


@dataclass(frozen=True, slots=True)
class Similarity:
    """One way to compare texts.

    Attributes:
        model: used when none is named.
        load: makes it from what was named, on a device.
    """

    model: str
    load: Callable[[str, torch.device], Loaded]


def load_sbert(model: str, device: torch.device) -> Loaded:
    """Cosine of two sentence vectors. Source: N. Reimers, I. Gurevych, EMNLP 2019, section 3."""
    encoder = SentenceEncoder(model).to(device)

    def compare(texts: Sequence[str], pairs: IntArray) -> FloatArray:
        vectors = torch.nn.functional.normalize(encoder.encode(texts), dim=1).cpu().numpy()
        cosines: FloatArray = np.einsum("pd,pd->p", vectors[pairs[:, 0]], vectors[pairs[:, 1]], dtype=np.float64)
        values: FloatArray = np.minimum(cosines, 1.0)[:, None]
        return values

    return Loaded(model, compare, ("value",), {})


_BEST_LAYERS = {  # of 12 or 24 layers, those that agree best with people; the authors' table, bert-score 0.3.13
    "distilbert/distilbert-base-uncased": 5,
    "google-bert/bert-base-uncased": 9,
    "google-bert/bert-large-uncased": 18,
    "google-bert/bert-base-multilingual-cased": 9,
    "allenai/scibert_scivocab_uncased": 8,
}


def load_bertscore(model: str, device: torch.device) -> Loaded:
    """Greedy matching of token vectors: precision, recall and F1, without weights and without rescaling.

    Source: T. Zhang et al., BERTScore, ICLR 2020, section 3. A layer may follow the model's name, ``model@5``; by
    default it is the authors' for the models that they measured, else the last.
    """
    name, _, layer = model.rpartition("@")
    if not (name and layer.isdecimal()):
        name, layer = model, ""
    encoder = TokenEncoder(name, int(layer) if layer else _BEST_LAYERS.get(name)).to(device)

    def compare(texts: Sequence[str], pairs: IntArray) -> FloatArray:
        encoded = encoder.encode(texts)
        values = [match(encoded[gold], encoded[answer]) for gold, answer in pairs.tolist()]
        return np.array(values, dtype=np.float64).reshape(-1, 3)

    return Loaded(name, compare, ("value", "precision", "recall"), {"layer": encoder.layer})


def match(gold: TokenVectors, answer: TokenVectors) -> tuple[float, float, float]:
    """Compute F1, precision and recall of BERTScore; 0 when a text has no word.

    Each word takes the nearest token of the other text, special tokens included, as the authors' program does.
    """
    if not gold.words.any() or not answer.words.any():
        return 0.0, 0.0, 0.0
    cosines = answer.vectors @ gold.vectors.T
    precision = min(1.0, float(cosines.amax(1)[answer.words].mean()))
    recall = min(1.0, float(cosines.amax(0)[gold.words].mean()))
    both = precision + recall
    return (2 * precision * recall / both if both > 0 else 0.0), precision, recall


SIMILARITIES: dict[str, Similarity] = {
    "sbert": Similarity("sentence-transformers/all-MiniLM-L6-v2", load_sbert),
    "bertscore": Similarity("distilbert/distilbert-base-uncased", load_bertscore),
}
