"""What a whole test set says of each method: means with intervals, beside chance, centre and edges."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from radvqa.explaining.methods import METHODS
from radvqa.explaining.table import flagged
from radvqa.scoring.statistics import Mean, cluster_intervals

NUMBERS = ("hit", "energy", "overlap", "area", "deletion", "insertion", "outside_body", "on_text")
CHECKS = ("half_random", "all_random", "other_question")


def summarise(rows: Sequence[Mapping[str, Any]], clusters: Mapping[str, str]) -> dict[str, Any]:
    """Summarise measurements.

    Args:
        rows: as ``table.measure`` keeps them.
        clusters: what counts as one independent unit, by question: the case, or the picture.

    Returns:
        ``questions``, ``with_place``, and ``methods``: by name ``n``, means with 95 % intervals over clusters, the
        difference to the centre prior on the same questions (``against_centre``: of ``hit`` and ``energy``), checks,
        ``flat`` maps, and ``flags``, sentences.
    """
    by: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        by.setdefault(row["method"], {})[row["id"]] = row
    ids = list(dict.fromkeys(row["id"] for row in rows))
    order = [*METHODS, *(name for name in by if name.startswith("baseline:"))]
    centre = by.get("baseline:centre", {})
    found = {name: _method(by[name], centre, clusters) for name in order if name in by}
    placed = {row["id"] for row in rows if "area" in row}
    return {"questions": len(ids), "with_place": len(placed), "methods": found}


def _method(
    rows: Mapping[str, Mapping[str, Any]], centre: Mapping[str, Mapping[str, Any]], clusters: Mapping[str, str]
) -> dict[str, Any]:
    names = list(rows)
    codes = np.unique([clusters[name] for name in names], return_inverse=True)[1]
    values = {key: _column(rows, names, key) for key in (*NUMBERS, *CHECKS)}
    for key in ("hit", "energy"):
        values[f"{key}_above_centre"] = values[key] - _column(centre, names, key)
    limits = cluster_intervals({key: Mean(column) for key, column in values.items()}, codes)
    means = {
        key: {"mean": round(float(np.nanmean(column)), 6), "interval": _rounded(limits[key]), "n": int(known.sum())}
        for key, column in values.items()
        if (known := ~np.isnan(column)).any()
    }
    checks = {key: float(np.nanmean(values[key])) for key in CHECKS if key in means}
    flat = sum(bool(row.get("flat")) for row in rows.values())
    return {"n": len(names), **means, "flat": flat, "flags": flagged(checks)}


def _column(rows: Mapping[str, Mapping[str, Any]], names: Sequence[str], key: str) -> np.ndarray[Any, Any]:
    return np.array([rows.get(name, {}).get(key, np.nan) for name in names], np.float64)


def _rounded(interval: Sequence[float] | None) -> list[float] | None:
    return None if interval is None else [round(float(value), 6) for value in interval]
