"""A made-up PathVQA in its three layouts: the authors' pickles, Parquet files of the hub, JSON beside pictures."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

import miniature

ASKED = (("Is this a liver?", "Yes"), ("What is shown?", "a Lymph node"), ("how many cells?", "2"))


def picture(number: int, kind: str = "JPEG") -> bytes:
    """A small picture of one grey."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((12, 16), 20 * number, np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def original(folder: Path) -> Path:
    """Two pictures a split; names in the pickles have no suffix."""
    for split in ("train", "val", "test"):
        rows = []
        for number in range(2):
            place = folder / "pvqa" / "images" / split
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{split}_000{number}.jpg").write_bytes(picture(number))
            rows += [{"image": f"{split}_000{number}", "question": q, "answer": a} for q, a in ASKED]
        (folder / "pvqa" / "qas" / split).mkdir(parents=True)
        (folder / "pvqa" / "qas" / split / f"{split}_qa.pkl").write_bytes(pickle.dumps(rows, 4))
    return folder


def hub(folder: Path) -> Path:
    """Two files a split, one picture repeated in both and written with every row, as the hub does."""
    (folder / "data").mkdir(parents=True)
    for split in ("train", "validation", "test"):
        for part in range(2):
            rows: list[dict[str, Any]] = [
                {"image": {"bytes": picture(number), "path": f"img_{number}.jpg"}, "question": q, "answer": a.lower()}
                for number in (part, 9)
                for q, a in ASKED
            ]
            pq.write_table(pa.Table.from_pylist(rows), folder / "data" / f"{split}-0000{part}-of-00002-abc.parquet")
    return folder


def as_json(folder: Path) -> Path:
    """Pictures re-encoded as PNG under the stem that the rows name as ``.jpg``."""
    (folder / "images").mkdir(parents=True)
    for split, numbers in {"train": (0, 1), "test": (2,)}.items():
        rows = []
        for number in numbers:
            (folder / "images" / f"{number:016x}.png").write_bytes(picture(number, "PNG"))
            rows += [{"image": f"{number:016x}.jpg", "question": q.lower(), "answer": a.lower()} for q, a in ASKED]
        miniature.write(folder / f"{split}_qa.json", rows)
    return folder
