"""What the verdicts on some answers add up to; plain JSON without NaN."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from radvqa.judging.agreement import agreement
from radvqa.scoring.statistics import FloatArray, IntArray, Mean, cluster_intervals

_DIGITS = 6  # as in scores


def summarise(worth: FloatArray, cluster: IntArray, resamples: int, seed: int) -> dict[str, Any]:
    """Summarise some answers; a verdict that could not be read is NaN."""
    known = ~np.isnan(worth)
    strict = np.where(known, worth, 0.0)
    statistics = {"score_counting_unparsed_wrong": Mean(strict)}
    if known.any():
        statistics["score"] = Mean(worth)
    intervals = cluster_intervals(statistics, cluster, resamples=resamples, seed=seed)
    said = worth[known]
    return _plain(
        {
            "n": len(worth),
            "clusters": len(np.unique(cluster)),
            "judged": len(said),
            "judged_share": len(said) / len(worth),
            "unparsed": len(worth) - len(said),
            "score": float(said.mean()) if len(said) else None,
            "score_interval": intervals.get("score"),
            "correct": float((said == 1).mean()) if len(said) else None,
            "partly": float(((said > 0) & (said < 1)).mean()) if len(said) else None,
            "score_counting_unparsed_wrong": float(strict.mean()),
            "score_counting_unparsed_wrong_interval": intervals["score_counting_unparsed_wrong"],
        }
    )


def compared(worth: FloatArray, exact: NDArray[np.bool_], asked: NDArray[np.bool_]) -> dict[str, Any]:
    """Compare verdicts with exact match over the answers that were asked about and have a verdict."""
    both = asked & ~np.isnan(worth)
    return _plain({"with": "exact match"} | agreement(worth[both] == 1, exact[both]))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Round fractions and turn intervals into lists, as JSON has them."""
    return {
        name: [round(limit, _DIGITS) for limit in value]
        if isinstance(value, tuple)
        else round(value, _DIGITS)
        if isinstance(value, float)
        else value
        for name, value in values.items()
    }
