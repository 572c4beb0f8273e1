"""Run folders with what a law reads of them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from radvqa.run import Run


def run_folder(
    folder: Path,
    losses: Sequence[float],
    *,
    samples: int = 1000,
    trainable: int = 5000,
    best: int | None = None,
    rank: int = 8,
    answers: int | None = None,
    finished: bool = True,
    columns: Mapping[str, Sequence[Any]] | None = None,
) -> Path:
    """Write a run whose evaluations have these losses; ``columns`` are more columns of the history."""
    recipe = {"name": folder.name, "model": {"family": "blip", "lora": {"r": rank}, "frozen": True}}
    origin = {"data": {"train": {"questions": samples, "digest": "a"}, "select": {"questions": 50, "digest": "b"}}}
    run = Run.create(folder, recipe, origin)
    kept = losses.index(min(losses)) if best is None else best
    run.write_history(
        [
            {
                "epoch": epoch,
                "train_loss": loss / 2,
                "val_loss": loss,
                "best": epoch - 1 == kept,
                **{name: values[epoch - 1] for name, values in (columns or {}).items()},
            }
            for epoch, loss in enumerate(losses, start=1)
        ]
    )
    if answers is not None:
        run.checkpoints.mkdir()
        spec = {"family": "cnn_lstm", "answers": {"answers": [str(i) for i in range(answers)]}}
        (run.checkpoints / "model.json").write_text(json.dumps(spec), encoding="utf-8")
    if finished:
        run.finish({"parameters": {"trainable": trainable, "total": 10 * trainable}})
    return folder
