"""A run of any family, trained for a moment on the phantom with tiny checkpoints: for whatever needs a whole run."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from radvqa.commands.train import train
from radvqa.run import Run

sys.path.insert(0, str(Path(__file__).parent / "models"))

DATA = {"name": "phantom:mini", "train": "train", "select": "validate", "test": "test"}


def trained(family: str, folder: Path, **training: Any) -> Run:
    """Train in ``folder/FAMILY``; the run's name is the family's. ``training`` changes that section of the recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    page = {
        "name": f"tiny_{family}",
        "title": f"A tiny {family}",
        "data": DATA,
        "model": importlib.import_module(f"tiny_{family}").section(folder / f"{family}-weights"),
        "training": {
            "epochs": 1,
            "batch_size": 32,
            "optimizer": "adamw",
            "learning_rate": 0.01,
            "device": "cpu",
            "threads": 1,
            "seed": 3,
            **training,
        },
    }
    recipe = folder / f"{family}.yaml"
    recipe.write_text(json.dumps(page), encoding="utf-8")  # JSON is YAML
    return train(recipe, out=folder / family)
