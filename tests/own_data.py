"""A made-up folder of pictures, a table of questions about them, and the YAML file that describes both."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

HEADER = ("image", "question", "answer", "split", "patient")
Row = Sequence[object]


def picture(number: int) -> Image.Image:
    """Even pictures are bright, odd ones dark; no two are the same."""
    pixels = np.full((40, 40), 200 if number % 2 == 0 else 40, np.uint8)
    pixels[number % 30 : number % 30 + 6, 10:30] = 120
    pixels[0, number % 40] = 7
    return Image.fromarray(pixels)


def pictures(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        picture(number).save(folder / f"scan{number:02d}.png")
    return folder


def rows(count: int) -> list[tuple[str, str, str, str, str]]:
    """Two questions a picture, two pictures a patient; the last quarter is the test split, the one before selects."""
    found = []
    for number in range(count):
        split = "train" if number < count // 2 else "validate" if number < 3 * count // 4 else "test"
        bright = number % 2 == 0
        for question, answer in (
            ("Which modality is this?", "CT" if bright else "X-Ray"),
            ("Is this a CT?", "Yes" if bright else "No"),
        ):
            found.append((f"scan{number:02d}.png", question, answer, split, f"p{number // 2}"))
    return found


def table(path: Path, rows: Iterable[Row], header: Row = HEADER, **options: Any) -> Path:
    with path.open("w", encoding=options.pop("encoding", "utf-8"), newline="") as handle:
        writer = csv.writer(handle, **options)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def describe(path: Path, **changes: object) -> Path:
    """Write the YAML file; a change to None takes the key out, ``columns__KEY`` changes a column."""
    values: dict[str, Any] = {
        "name": "mine",
        "kind": "table",
        "file": "questions.csv",
        "images": "pictures",
        "columns": {"image": "image", "question": "question", "answer": "answer", "split": "split", "case": "patient"},
    }
    for key, value in changes.items():
        section, _, inner = key.partition("__")
        place: dict[str, Any] = values[section] if inner else values
        place[inner or key] = value
        if value is None:
            del place[inner or key]
    path.write_text(yaml.safe_dump(values, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def made(folder: Path, count: int = 8, **changes: object) -> Path:
    """Write everything, and return the YAML file."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures(folder / "pictures", count)
    table(folder / "questions.csv", rows(count))
    return describe(folder / "mine.yaml", **changes)
