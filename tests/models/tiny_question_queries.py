"""A tiny DINOv2 in front of a tiny Llama cut to one layer, joined by queries that read the question first."""

from pathlib import Path
from typing import Any

from tiny_cnn_bert import bert
from tiny_linear_llm import shared


def section(folder: Path) -> dict[str, Any]:
    """Write the checkpoints and return the recipe's ``model`` section."""
    queries = {"queries": 3, "layers": 2, "heads": 2, "size": 16, "dropout": 0.0}
    return {
        "family": "qformer_llm",
        **shared(folder),
        "language_layers": 1,
        "query_transformer": {**queries, "question_encoder": str(bert(folder / "question"))},
    }
