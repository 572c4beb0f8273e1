"""A tiny CNN-LSTM that trains its backbone."""

from pathlib import Path
from typing import Any

import model_parts


def section(folder: Path) -> dict[str, Any]:
    """Return the recipe's ``model`` section; nothing is written."""
    return {**model_parts.section().options, "family": "cnn_lstm", "frozen": True, "dropout": 0.0}
