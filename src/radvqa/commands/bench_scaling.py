"""``radvqa bench scaling``: how often intervals of a scaling law hold constants that are known."""

from typing import Any

import numpy as np

from radvqa import console
from radvqa.scaling import intervals
from radvqa.scaling.bootstrap import bootstrap, percentiles
from radvqa.scaling.fit import fit
from radvqa.scaling.points import make

FACTOR, EXPONENT, FLOOR = 1.5, 0.8, 2.0
NOISE = 0.01


def bench_scaling(counts: tuple[int, ...] = (5, 8, 20), repeats: int = 300, resamples: int = 299) -> dict[str, Any]:
    """Simulate series ``1.5·t^−0.8 + 2`` with normal noise of 0.01, and fit each.

    Args:
        counts: points of a series, at t = 1, 2, 3 ….
        repeats: series of each count.
        resamples: of the bootstrap of each series.

    Returns:
        ``rows``: for each count the share of series whose 95 % interval holds exponent and floor, by ``profile`` and
        by the percentile ``bootstrap`` (the mean of the two constants); and what was simulated.
    """
    rows = []
    for count in counts:
        t = np.arange(1.0, count + 1)
        truth = FACTOR * t**-EXPONENT + FLOOR
        rng = np.random.default_rng(count)
        held: dict[str, list[bool]] = {"profile": [], "bootstrap": []}
        for number in range(repeats):
            loss = truth + rng.normal(0, NOISE, count)
            found = fit(make(("t",), t[:, None].tolist(), loss.tolist(), [str(n) for n in range(count)]))
            drawn = bootstrap(found, resamples, seed=number)
            for place, value, profile in (
                (1, EXPONENT, intervals.exponent(found, 0)),
                (2, FLOOR, intervals.floor(found)),
            ):
                held["profile"].append(_inside(value, profile))
                held["bootstrap"].append(_inside(value, percentiles(drawn[:, place])))
        console.say(f"{count} points: done")
        rows.append({"points": count, **{way: float(np.mean(of)) for way, of in held.items()}})
    return {"rows": rows, "series": repeats, "resamples": resamples, "noise": NOISE, "law": "1.5·t^−0.8 + 2"}


def _inside(value: float, interval: tuple[float | None, float | None]) -> bool:
    low, high = interval
    return (low is None or low <= value) and (high is None or value <= high)
