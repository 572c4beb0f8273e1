"""Losses by epoch that seed 002 published (A. Shourya et al., arXiv 2506.14451, figures 7 and 8, typst source).

MedPix, ROCO and both annealed are evaluation losses on open questions; the paper's plot of MedPix stops at epoch 5.
MIMIC-CXR-VQA, PMC-VQA and SLAKE are the closed questions, labelled evaluation loss, but converted from a training log;
the first point of SLAKE is a copy of PMC-VQA's.
"""

import csv
from pathlib import Path

import numpy as np

from radvqa.scaling.points import FloatArray, Points, make

FILE = Path(__file__).with_name("published_curves.csv")


def curve(series: str) -> tuple[FloatArray, FloatArray]:
    with FILE.open(encoding="utf-8", newline="") as lines:
        rows = [(float(row["t"]), float(row["loss"])) for row in csv.DictReader(lines) if row["series"] == series]
    return np.array([t for t, _ in rows]), np.array([loss for _, loss in rows])


def points(series: str, last: int | None = None) -> Points:
    t, loss = curve(series)
    return in_time(t[:last], loss[:last])


def in_time(t: FloatArray, loss: FloatArray) -> Points:
    return make(("t",), t[:, None].tolist(), loss.tolist(), [f"t {value:g}" for value in t])


def in_size_and_data(sizes: FloatArray, loss: FloatArray) -> Points:
    """Points ``(n, 2)`` of X and D."""
    return make(("x", "d"), sizes.tolist(), loss.tolist(), [str(i) for i in range(len(loss))])


SERIES = ("medpix", "roco", "roco_medpix", "mimic_cxr_vqa", "pmc_vqa", "slake")
