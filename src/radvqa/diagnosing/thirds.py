"""Numbers cut into thirds, each named by its limits."""

from collections.abc import Callable, Mapping

import numpy as np


def thirds(values: Mapping[str, float], written: Callable[[float], str]) -> dict[str, str]:
    """Name the third in which each value lies; fewer parts where many values are equal, none where all are.

    Args:
        values: by name, each counted once: thirds are of pictures, not of questions.
        written: how a limit is written.
    """
    if not values:
        return {}
    numbers = np.array(list(values.values()))
    limits = [
        limit for limit in np.unique(np.quantile(numbers, [1 / 3, 2 / 3], method="higher")) if limit > numbers.min()
    ]
    if not limits:
        return {}
    place = np.searchsorted(limits, numbers, side="right")
    names = _names([written(limit) for limit in limits])
    return {name: names[int(at)] for name, at in zip(values, place, strict=True)}


def _names(limits: list[str]) -> list[str]:
    if len(limits) == 1:
        return [f"below {limits[0]}", f"{limits[0]} and more"]
    return [f"low (below {limits[0]})", f"middle ({limits[0]} to {limits[1]})", f"high ({limits[1]} and more)"]
