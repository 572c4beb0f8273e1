"""Known shortcuts: do the answers go with markers, letters and borders, beyond what these go with in truth?

Pictures with a marker are other pictures (radiographs, often of sicker patients), so pictures with and without are
compared within groups of the same organ, modality and kind of question only: the difference is the slope of the
outcome on the cue with a level of its own for each such group. The outcome is whether the answer is right, or, for a
frequent answer, whether it was given minus whether it is the gold one: a model that reads the picture gives an answer
more often beside a marker only where it is true more often. An association is a reason to look, no proof;
``--intervene`` covers the cue and asks again.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from radvqa.diagnosing.material import Material
from radvqa.diagnosing.quality import Quality
from radvqa.diagnosing.ranking import adjusted
from radvqa.scoring.statistics import LEVEL, FloatArray, IntArray
from radvqa.text import tokens

FEWEST_CLUSTERS = 5
"""Images or cases with the cue, and as many without, in groups that have both."""

_FREQUENT = 15  # times that an answer is given, or is the gold one, to be tested
_MOST_ANSWERS = 8

CUES: dict[str, tuple[str, Callable[[Quality], bool]]] = {
    "text": ("Burned-in text", lambda quality: quality.text > 0),
    "marker": ("Marker near the border", lambda quality: quality.markers > 0),
    "letter_l": ("Letter L", lambda quality: quality.letter_l > 0),
    "letter_r": ("Letter R", lambda quality: quality.letter_r > 0),
    "border": ("Margin of more than a twentieth", lambda quality: quality.border > 0.05),
}
"""What a picture may have that is no anatomy: name → title and test."""


@dataclass(frozen=True, slots=True)
class Association:
    """How an outcome goes with a cue.

    Attributes:
        cue: name in ``CUES``.
        outcome: ``accuracy``, or an answer: how much oftener it is given than it is true.
        n: questions in groups that have pictures with and without.
        with_cue: how many of them are about pictures with the cue.
        clusters: images or cases with the cue among them.
        difference: with the cue minus without, within the groups.
        interval: at 95 %.
        p: of none.
        adjusted: the same for all cues and outcomes that were tested.
    """

    cue: str
    outcome: str
    n: int
    with_cue: int
    clusters: int
    difference: float
    interval: tuple[float, float]
    p: float
    adjusted: float = 1.0


def associations(material: Material) -> list[Association]:
    """Test every cue with every outcome; the surest first. A cue that too few or too many pictures have is left out."""
    from dataclasses import replace

    strata = _strata(material)
    found = []
    for cue, (_, has) in CUES.items():
        known = np.array([p.image in material.quality for p in material.predictions])
        marked = np.array(
            [p.image in material.quality and has(material.quality[p.image]) for p in material.predictions]
        )
        for outcome, values in _outcomes(material).items():
            one = _association(cue, outcome, values, marked.astype(np.float64), strata, material.cluster, known)
            if one is not None:
                found.append(one)
    corrected = adjusted(np.array([one.p for one in found]))
    judged = [replace(one, adjusted=float(p)) for one, p in zip(found, corrected, strict=True)]
    return sorted(judged, key=lambda one: (one.adjusted, one.p, one.cue, one.outcome))


def _strata(material: Material) -> IntArray:
    codes: dict[tuple[str, ...], int] = {}
    keys = ((p.organ, p.modality, p.question_type, p.answer_type) for p in material.predictions)
    return np.array([codes.setdefault(key, len(codes)) for key in keys], np.intp)


def _outcomes(material: Material) -> dict[str, FloatArray]:
    """Value of each outcome for each question."""
    given, gold = material.answers, material.golds
    many = Counter(given) | Counter(gold)
    frequent = [
        answer for answer, count in many.most_common(_MOST_ANSWERS) if count >= _FREQUENT and answer.strip("\0")
    ]
    outcomes = {"accuracy": material.right}
    for answer in frequent:
        outcomes[answer] = np.array([(g == answer) - (t == answer) for g, t in zip(given, gold, strict=True)], float)
    for side in ("left", "right"):
        says = [(side in tokens(g)) - (side in tokens(t)) for g, t in zip(given, gold, strict=True)]
        if sum(side in tokens(text) for text in given) >= _FREQUENT:
            outcomes[f"any answer with “{side}”"] = np.array(says, float)
    return outcomes


def _association(
    cue: str,
    outcome: str,
    values: FloatArray,
    marked: FloatArray,
    strata: IntArray,
    cluster: IntArray,
    known: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> Association | None:
    """Slope of the outcome on the cue within strata, with errors clustered by image or case."""
    size = int(strata.max(initial=0)) + 1
    total = np.bincount(strata[known], minlength=size)
    with_cue = np.bincount(strata[known], marked[known], size)
    rows = np.flatnonzero(known & ((with_cue > 0) & (with_cue < total))[strata])
    having, lacking = (np.unique(cluster[rows[marked[rows] == value]]) for value in (1.0, 0.0))
    if min(len(having), len(lacking)) < FEWEST_CLUSTERS:
        return None
    at, y, x = strata[rows], values[rows], marked[rows]
    x = x - (with_cue / np.maximum(total, 1))[at]
    y = y - (np.bincount(at, y, size) / np.maximum(np.bincount(at, minlength=size), 1))[at]
    whole = float((x**2).sum())
    slope = float((x * y).sum()) / whole
    _, inverse = np.unique(cluster[rows], return_inverse=True)
    residuals = np.bincount(inverse, x * (y - slope * x))
    clusters = len(residuals)
    error = float(np.sqrt(clusters / (clusters - 1) * (residuals**2).sum())) / whole
    if not error:
        return None  # nothing differs at all
    freedom = min(len(having), len(lacking)) - 1
    width = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    return Association(
        cue=cue,
        outcome=outcome,
        n=len(rows),
        with_cue=int(marked[rows].sum()),
        clusters=len(having),
        difference=slope,
        interval=(slope - width, slope + width),
        p=float(2 * stats.t.sf(abs(slope) / error, freedom)),
    )
