"""Made-up data sets with planted leaks: copies, re-encodings, flips, and the MEVF files of the made-up VQA-RAD."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import miniature

REPHRASED = (2, 4, 5)
"""Rows of the miniature official file that have a rephrasing; 2 and 5 are test rows, 4 is a training row."""


def picture(number: int, width: int = 96, height: int = 80) -> NDArray[np.uint8]:
    """Blobs that no two numbers share, between 40 and 180."""
    coarse = np.random.default_rng(number).uniform(40, 180, (6, 6)).astype(np.float32)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(smooth).clip(40, 180).astype(np.uint8)


def pictured_slake(folder: Path) -> Path:
    """Write the miniature SLAKE with pictures that differ: 0 to 5 train, 6 to 8 validate, 9 to 11 test.

    Test picture 9 is training picture 0 at another size in another encoding, 10 is training picture 1 brighter and
    flatter, 11 is training picture 2 flipped; validation picture 6 is training picture 3, byte by byte.
    """
    miniature.slake(folder)
    changed: dict[int, NDArray[np.uint8]] = {
        9: picture(0, 61, 50),
        10: (picture(1) * 0.7 + 60).astype(np.uint8),
        11: picture(2)[:, ::-1],
        6: picture(3),
    }
    for number in range(12):
        pixels = changed.get(number, picture(number))
        quality = 60 if number == 9 else 95
        Image.fromarray(pixels).save(folder / "imgs" / f"xmlab{number}" / "source.jpg", quality=quality)
    return folder


def mevf(folder: Path) -> Path:
    """Add the two MEVF files to a miniature VQA-RAD: its 18 rows and three rephrasings, numbered from 1."""
    official = json.loads((folder / "VQA_RAD Dataset Public.json").read_text(encoding="utf-8"))
    rows: dict[str, list[dict[str, Any]]] = {"train": [], "test": []}
    number = 0
    for place, record in enumerate(official):
        test = record["phrase_type"].startswith("test_")
        own = {key: value for key, value in record.items() if not key.startswith(("qid", "image_case", "evaluation"))}
        own["phrase_type"] = record["phrase_type"].removeprefix("test_")
        number += 1
        rows["test" if test else "train"].append({**own, "qid": number})
        if place in REPHRASED:
            number += 1
            rephrased = {"question": f"Put otherwise: {own['question']}", "phrase_type": "frame", "qid": number}
            rows["train"].append({**own, **rephrased})
    (folder / "mevf_split").mkdir()
    for split, part in rows.items():
        miniature.write(folder / "mevf_split" / f"{split}set.json", part)
    return folder
