"""Right for the wrong reason, and wrong although it looked right: answers held against where their maps lie."""

from collections.abc import Sequence
from dataclasses import dataclass

from radvqa.diagnosing.material import Material
from radvqa.explaining.evidence.kept import KeptMaps

HIT = 0.5
"""From this share of a map's highest pixels inside on, the map points at its target."""

RULES = {
    "right_off_target": "The answer is right; the map's highest place lies outside what the question is about, and "
    "less of the map lies inside than an even map would have there.",
    "wrong_on_target": "The answer is wrong; the map's highest place lies inside what the question is about, and "
    "more of the map lies inside than an even map would have there.",
}
"""What each list holds, in words."""


@dataclass(frozen=True)
class Reasoned:
    """Answers that do not go with their maps.

    Attributes:
        judged: how many questions have a map and a labelled target.
        right_off_target: rows of right answers whose map lies off target, the farthest off first.
        wrong_on_target: rows of wrong answers whose map lies on target, the surest of themselves first.
    """

    judged: int
    right_off_target: tuple[int, ...]
    wrong_on_target: tuple[int, ...]


def reasoned(material: Material) -> Reasoned:
    """Find answers that do not go with their maps; questions without a labelled target are in neither list."""
    off: list[tuple[float, int]] = []
    on: list[tuple[float, int]] = []
    judged = 0
    for row, prediction in enumerate(material.predictions):
        measured = material.maps.get(prediction.id)
        if measured is None or measured.hit is None or measured.energy is None or measured.area is None:
            continue
        judged += 1
        right = material.right[row] > 0
        more = measured.energy - measured.area
        if right and measured.hit < HIT and more < 0:
            off.append((measured.energy / measured.area, row))
        if not right and measured.hit >= HIT and more > 0:
            on.append((-(prediction.confidence or 0.0), row))
    return Reasoned(judged, tuple(row for _, row in sorted(off)), tuple(row for _, row in sorted(on)))


def best_method(found: Sequence[KeptMaps]) -> KeptMaps | None:
    """Choose the maps to look at: those that lie most in their targets, beyond the share that an even map has there."""
    scored = [(_beyond(kept), kept.method, kept) for kept in found if kept.measured]
    return max(scored, key=lambda one: one[:2])[2] if scored else None


def _beyond(kept: KeptMaps) -> float:
    known = [m.energy - m.area for m in kept.measured if m.energy is not None and m.area is not None]
    return sum(known) / len(known) if known else float("-inf")
