"""The place in the picture that a question is about, as far as labelled regions tell it."""

import re
from collections.abc import Sequence

import numpy as np

from radvqa.explaining.evidence.localisation import Place
from radvqa.sample import Region

_SIDES = ("left", "right")
_GENERAL = {
    "abnormality": re.compile(r"\b(?:abnormal\w*|disease\w*|lesions?|unhealthy|healthy|pathology|findings?)\b"),
    "tumor": re.compile(r"\b(?:tumou?rs?|cancers?|neoplasms?|mass(?:es)?)\b"),
}
_TUMOR = re.compile(r"\b(?:tumor|cancer|mass)\b")


def target(question: str, answer: str, regions: Sequence[Region], rows: int, columns: int) -> Place | None:
    """Return the pixels that a question and its answer are about.

    A region counts when the question names its label; where the question names none, when the answer does. A label
    with a side ("Left Lung") is also named by its organ alone, but not by the other side. "Tumor" names tumours and
    cancers, "abnormal" and "disease" every labelled finding. Regions with a mask count with it, others with their box.

    Args:
        question: in English.
        answer: the gold one.
        regions: of the picture.
        rows: of the result.
        columns: of the result.

    Returns:
        ``(rows, columns)``; None where no labelled region is named, as in questions about the kind of picture.
    """
    place = np.zeros((rows, columns), bool)
    for region in meant(question, answer, regions):
        place |= pixels(region, rows, columns)
    return place if place.any() else None


def meant(question: str, answer: str, regions: Sequence[Region]) -> list[Region]:
    """Return the regions that a question and its answer are about; see ``target``."""
    for text in (question, answer):
        named = [region for region in regions if _names(text.lower(), region)]
        if named:
            return named
    return []


def _names(text: str, region: Region) -> bool:
    label = region.label.lower()
    side = next((side for side in _SIDES if label.startswith(f"{side} ")), "")
    organ = label.removeprefix(side).strip()
    if _holds(text, organ):
        other = "right" if side == "left" else "left"
        return not side or not _holds(text, other) or _holds(text, side)
    if region.kind != "finding":
        return False
    if _GENERAL["tumor"].search(text) and _TUMOR.search(label):
        return True
    return bool(_GENERAL["abnormality"].search(text))


def _holds(text: str, words: str) -> bool:
    """Whether a text has some words side by side, in the singular or the plural."""
    pattern = r"[\s-]+".join(re.escape(word) for word in words.split())
    return bool(re.search(rf"\b{pattern}(?:e?s)?\b", text))


def pixels(region: Region, rows: int, columns: int) -> Place:
    """A region as pixels: its mask, brought to the size, or its box; at least one pixel of what is there."""
    if region.mask is not None:
        place = np.zeros((rows, columns), bool)
        at = np.argwhere(region.mask)
        tall, wide = rows / region.mask.shape[0], columns / region.mask.shape[1]
        if tall <= 1 and wide <= 1:  # no pixel of a small region is lost
            place[(at[:, 0] * tall).astype(int), (at[:, 1] * wide).astype(int)] = True
            return place
        from_row = (np.arange(rows) / tall).astype(int)
        from_column = (np.arange(columns) / wide).astype(int)
        return region.mask[np.ix_(from_row, from_column)]
    left, top, width, height = region.box
    place = np.zeros((rows, columns), bool)
    first_row, first_column = min(rows - 1, int(top * rows)), min(columns - 1, int(left * columns))
    last_row = max(first_row + 1, round((top + height) * rows))
    last_column = max(first_column + 1, round((left + width) * columns))
    place[first_row:last_row, first_column:last_column] = True
    return place
