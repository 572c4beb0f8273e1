"""What a check found: one sentence that says what is wrong and what to change."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        check: name of the check.
        level: an ``error`` stops the training, a ``warning`` is said.
        sentence: what was found; of an error also what to change.
    """

    check: str
    level: Level
    sentence: str


def named(places: list[str], most: int = 4) -> str:
    """List names in a sentence, the first few of them."""
    more = f" and {len(places) - most} more" if len(places) > most else ""
    return ", ".join(places[:most]) + more
