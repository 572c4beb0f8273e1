"""A tiny DINOv2 in front of a tiny Llama, joined by a query transformer."""

from pathlib import Path
from typing import Any

from tiny_linear_llm import shared


def section(folder: Path) -> dict[str, Any]:
    """Write the checkpoints and return the recipe's ``model`` section."""
    queries = {"queries": 4, "layers": 2, "heads": 2, "size": 16, "dropout": 0.0}
    return {"family": "qformer_llm", **shared(folder), "query_transformer": queries}
