"""How numbers are written in every table, figure and sentence."""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

UNDEFINED = "–"


def percent(fraction: float | None) -> str:
    """Write a fraction as percent with one decimal, without the sign: ``0.798`` → ``79.8``."""
    return UNDEFINED if fraction is None else f"{100 * fraction:.1f}"


def reported(value_percent: float | None) -> str:
    """Write somebody else's percentage with one decimal, halves rounded up as on paper: ``83.25`` → ``83.3``."""
    if value_percent is None:
        return UNDEFINED
    return str(Decimal(str(value_percent)).quantize(Decimal("0.1"), ROUND_HALF_UP))


def with_interval(fraction: float | None, interval: Sequence[float] | None) -> str:
    """Write a fraction and its interval as percent: ``79.8 [77.1, 82.3]``."""
    if fraction is None or interval is None:
        return percent(fraction)
    low, high = interval
    return f"{percent(fraction)} [{percent(low)}, {percent(high)}]"


def points(difference: float) -> str:
    """Write a difference of fractions in percentage points, always signed: ``+2.6``, ``−1.3``, ``0.0``."""
    text = f"{100 * difference:+.1f}".replace("-", "−")
    return "0.0" if text in {"+0.0", "−0.0"} else text


def mean_sd(mean: float, sd: float) -> str:
    """Write a mean and a standard deviation of fractions as percent: ``79.5 ± 0.4``."""
    return f"{percent(mean)} ± {percent(sd)}"


def count(value: int | None) -> str:
    """Write a count with thousands separated: ``12,943,901``."""
    return UNDEFINED if value is None else f"{value:,}"


def plural(number: int, one: str) -> str:
    """Write a count and its noun: ``1 image``, ``96 images``."""
    return f"{count(number)} {one}" + ("" if number == 1 else "s")


def duration(seconds: float | None) -> str:
    """Write a time span in the two largest units that matter: ``45 s``, ``11 m 23 s``, ``2 h 05 m``."""
    if seconds is None:
        return UNDEFINED
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} m"


def size(number: float | None) -> str:
    """Write a number of bytes: ``3.1 GiB``."""
    if number is None:
        return UNDEFINED
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"


_FOLDERS = re.compile(r"(?<![\w.:/~\\])(?:~|[A-Za-z]:)?(?:[/\\][^\s/\\:,;'\"]+)+[/\\]?")


def without_folders(value: Any) -> Any:
    """Replace absolute paths in nested values by their last part, so that a page tells nothing of a machine.

    Addresses such as ``https://…`` and relative paths are kept.
    """
    if isinstance(value, dict):
        return {key: without_folders(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(item) for item in value]
    if isinstance(value, str):
        return _FOLDERS.sub(lambda match: "…/" + re.split(r"[/\\]", match[0].rstrip("/\\"))[-1], value)
    return value
