"""``radvqa serve`` as a process, and tiny trained runs that it can offer."""

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from radvqa.commands.train import train
from radvqa.run import Run

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

PHANTOM = {"name": "phantom:mini", "train": "train", "select": "validate", "test": "test"}


@contextmanager
def service(folder: Path, *options: object, env: dict[str, str] | None = None) -> Iterator[str]:
    """Serve on a free port of the loopback until the block ends; yields the address, without a slash."""
    command = [sys.executable, "-m", "radvqa", "serve", "--port", "0", *map(str, options)]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert " at " in line, line
    try:
        yield line.split(" at ")[1].split("/ (")[0]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        process.stdout.close()


def run_of(folder: Path, family: str, *, name: str = "", data: dict[str, Any] | None = None, **model: Any) -> Run:
    """Train a tiny run of a family for an epoch; ``model`` changes its section of the recipe."""
    name = name or family
    section = importlib.import_module(f"tiny_{family}").section(folder / "weights" / name)
    training = {"epochs": 1, "batch_size": 32, "optimizer": "adamw", "learning_rate": 0.01, "select_by": "token_f1"}
    page = {
        "name": name,
        "title": f"A tiny {family}",
        "data": data or PHANTOM,
        "model": {**section, **model},
        "training": {**training, "device": "cpu", "threads": 1, "seed": 3},
    }
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(page), encoding="utf-8")  # JSON is YAML
    return train(path, out=folder / "runs" / name, doctor=False)


