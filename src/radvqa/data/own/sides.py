"""Deal cases or pictures to splits by a hash of their names."""

import hashlib
from collections.abc import Mapping
from typing import Literal


def side(unit: str, fractions: Mapping[str, float]) -> str:
    """Return the split of a case or picture.

    It follows from the name alone: not from order, machine or seed, and what is added later moves nothing that was
    there. The shares are therefore met on average, not exactly.

    Args:
        unit: the name of the case or picture.
        fractions: share of each split, in order; together 1.
    """
    digest = hashlib.sha256(unit.encode("utf-8", "surrogatepass")).digest()
    place, reached = int.from_bytes(digest[:8], "big") / 2**64, 0.0
    for split, share in fractions.items():
        reached += share
        if place < reached:
            return split
    return list(fractions)[-1]


class Dealer:
    """Deals the rows of one table, so that no picture falls on two sides.

    Args:
        by: ``case``, with the picture where a row names no case, or ``image``.
        fractions: share of each split, in order; together 1.
    """

    def __init__(self, by: Literal["case", "image"], fractions: Mapping[str, float]) -> None:
        self._by, self._fractions = by, fractions
        self._case_of: dict[str, tuple[str, str]] = {}

    def side(self, image: str, case: str, source: str) -> str:
        """Return the split of a row.

        Args:
            image: the picture's name.
            case: the case, where the row names one.
            source: file and row, for messages.

        Raises:
            ValueError: when cases are dealt and another row gave the same picture to another case.
        """
        if self._by == "image":
            return side(image, self._fractions)
        known, where = self._case_of.setdefault(image, (case, source))
        if known != case:
            raise ValueError(
                f"the picture {image!r} belongs to the case {case!r} here and to {known!r} at {where}; "
                f"one picture belongs to one case."
            )
        return side(case or image, self._fractions)
