"""Splits without leaks: which rows of which side are left out, and why, as split files."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from radvqa.data import split_file
from radvqa.data.leaks.find import Overlap, Shared
from radvqa.data.leaks.parts import Part
from radvqa.errors import DataError, nearest

SIDES = ("train", "test")

REASONS: Mapping[str, str] = {
    "rephrasings": "the row rephrases {}",
    "questions": "the same question about the same picture as {}",
    "pictures": "the same picture as {}",
    "near": "nearly the same picture as {}",
}
"""Kinds of leak that a row can be left out for, strongest first, and how the reason is put."""


@dataclass(frozen=True)
class Clean:
    """A split file that was written.

    Attributes:
        path: the file.
        kept: number of rows.
        left_out: number of rows by kind of leak.
    """

    path: Path
    dataset: str
    split: str
    kept: int
    left_out: Mapping[str, int]


def write_clean(
    overlaps: Sequence[Overlap], folder: Path, *, drop: str = "train", by: Collection[str] = tuple(REASONS)
) -> list[Clean]:
    """Write each split without the rows that leak into, or from, a split that is held out more strictly.

    Of two parts, the one nearer to training (training before validation before test) loses its leaking rows;
    with ``drop="test"`` the other one does. Two parts of one kind, such as two training splits, leak nothing.

    Args:
        overlaps: what ``find_leaks`` found.
        folder: where the files ``DATASET-VERSION-SPLIT-clean.json`` go.
        drop: the side that loses rows.
        by: kinds of leak that count, of ``REASONS``.

    Returns:
        One entry for each split that loses a row and keeps one.

    Raises:
        DataError: for an unknown side or kind, or when a split would keep no row.
    """
    check_choice(drop, by)
    parts: dict[str, Part] = {}
    left_out: dict[str, dict[str, tuple[str, str]]] = {}
    for overlap in overlaps:
        first, second = overlap.first, overlap.second
        if first.held_out == second.held_out:
            continue
        losing, other = (first, second) if drop == "train" else (second, first)
        if not losing.samples:  # a folder of pictures has no rows to lose
            continue
        parts[losing.name] = losing
        reasons = left_out.setdefault(losing.name, {})
        for kind in (kind for kind in REASONS if kind in by):
            for id_, witness in _leaking(kind, overlap, losing).items():
                where = witness if kind in ("rephrasings", "questions") else f"{witness} of {other.name}"
                reasons.setdefault(id_, (kind, REASONS[kind].format(where)))
    return [_write(parts[name], reasons, folder) for name, reasons in left_out.items() if reasons]


def check_choice(drop: str, by: Collection[str]) -> None:
    """Check what is to be left out, before anything is compared.

    Raises:
        DataError: for an unknown side or kind of leak, with the nearest known one.
    """
    if drop not in SIDES:
        raise DataError(f"Rows are dropped from the side 'train' or 'test', not {drop!r}.")
    for kind in by:
        if kind not in REASONS:
            raise DataError(f"There is no kind of leak {kind!r}; {nearest(kind, list(REASONS))}")


def _leaking(kind: str, overlap: Overlap, losing: Part) -> dict[str, str]:
    """Return the counterpart of each leaking sample, by id."""
    shared: Shared = {
        "rephrasings": overlap.rephrased,
        "questions": overlap.same_question,
        "pictures": overlap.same_picture,
        "near": overlap.near_pictures,
    }[kind]
    found = shared.first if losing is overlap.first else shared.second
    if kind in ("rephrasings", "questions"):
        return dict(found)
    return {sample.id: found[sample.image] for sample in losing.samples if sample.image in found}


def _write(part: Part, reasons: Mapping[str, tuple[str, str]], folder: Path) -> Clean:
    samples = part.samples
    if len(reasons) == len(samples):
        raise DataError(f"{part.name} would keep none of its {len(samples):,} rows; let fewer kinds of leak count.")
    order = {sample.id: place for place, sample in enumerate(samples)}
    ordered = {id_: reasons[id_][1] for id_ in sorted(reasons, key=order.__getitem__)}
    path = folder / f"{part.name.replace(':', '-').replace(' ', '-').removesuffix('-clean')}-clean.json"
    written = split_file.write(path, part.dataset, part.split, samples, ordered)
    counts = {kind: sum(found == kind for found, _ in reasons.values()) for kind in REASONS}
    return Clean(path, part.dataset, part.split, len(written.ids), {k: n for k, n in counts.items() if n})
