"""A mix as a data set that every recipe can name: a table, the YAML file that describes it, and parts of a recipe."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from radvqa import files
from radvqa.curating.mix import ANNEAL, TRAIN, Mixed
from radvqa.curating.pair import Pair
from radvqa.errors import DataError

_COLUMNS = {
    "image": "image",
    "question": "question",
    "answer": "answer",
    "split": "split",
    "id": "id",
    "answer_type": "answer_type",
    "question_type": "kind",
    "case": "case",
    "organ": "organ",
    "modality": "modality",
}
_TASKS = {"vqa": "data.yaml", "choice": "choices.yaml"}


def write_data_set(folder: Path, mixed: Mixed, name: str, licence: str) -> dict[str, Path]:
    """Write the tables and what describes them.

    Multiple-choice pairs become a data set of their own (``choices.yaml``), because a data set has one task.

    Args:
        folder: made if needed.
        mixed: what is in it.
        name: of the data set: a-z, 0-9, _ and -.
        licence: of the pictures and texts, as the sources say it.

    Returns:
        the YAML file of each task.

    Raises:
        DataError: for pairs without a picture, which no recipe could train on.
    """
    written: dict[str, Path] = {}
    for task, file in _TASKS.items():
        rows = [
            (source, part, pair) for source, part, pair in mixed.rows if (pair.kind == "choice") == (task == "choice")
        ]
        if not rows:
            continue
        lacking = next((pair for _, _, pair in rows if not pair.image_path), None)
        if lacking is not None:
            raise DataError(f"The pair {lacking.id!r} has no picture, so that no recipe could train on it.")
        images = _folder([pair for _, _, pair in rows])
        table = f"{Path(file).stem}.jsonl"
        files.write_jsonl(folder / table, (_row(*row, images) for row in rows))
        described: dict[str, Any] = {
            "name": name if task == "vqa" else f"{name}-choices",
            "kind": "table",
            "title": f"Curated: {name}",
            "file": table,
            "images": os.path.relpath(images, folder.resolve()),
            "columns": {**_COLUMNS, **({"options": "options"} if task == "choice" else {})},
            "task": task,
            "licence": licence,
        }
        text = yaml.safe_dump(described, sort_keys=False, allow_unicode=True)
        files.write_text(folder / file, f"# Written by `radvqa curate mix`; README.md says what is in it.\n{text}")
        written[task] = folder / file
    return written


def stages(file: Path, mixed: Mixed) -> str:
    """Write the parts of a recipe that train on a mix, with its annealing set at the end."""
    data: list[dict[str, Any]] = [{"name": file.as_posix(), "label": "mix", "split": TRAIN, "weight": 1}]
    stage: dict[str, Any] = {"name": "curated", "data": data, "epochs": 3}
    if mixed.of_split(ANNEAL):
        data.append({"name": file.as_posix(), "label": "anneal", "split": ANNEAL, "weight": 1})
        if not mixed.of_split(TRAIN):
            data.pop(0)
        else:
            stage["anneal"] = {"over": 0.5, "to": {"anneal": 1}, "learning_rate": 0.05}
    return yaml.safe_dump({"stages": [stage]}, sort_keys=False, allow_unicode=True)


def _folder(pairs: Sequence[Pair]) -> Path:
    """The folder that holds all pictures."""
    parents = {str(Path(pair.image_path).resolve().parent) for pair in pairs}
    return Path(os.path.commonpath(sorted(parents)))


def _row(source: str, part: str, pair: Pair, images: Path) -> dict[str, Any]:
    said = pair.answer.lower().split()
    closed = bool(said) and said[0].strip(".,;:!") in ("yes", "no")
    row: dict[str, Any] = {
        "id": pair.id,
        "image": str(Path(pair.image_path).resolve().relative_to(images)),
        "question": pair.question,
        "answer": pair.answer,
        "split": part,
        "answer_type": "CLOSED" if closed or pair.kind in ("closed", "choice") else "OPEN",
        "kind": pair.kind,
        "case": pair.case,
        "organ": pair.organ,
        "modality": pair.modality,
        "source": source,
    }
    return {**row, "options": list(pair.options)} if pair.kind == "choice" else row
