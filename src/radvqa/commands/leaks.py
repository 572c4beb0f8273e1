"""``radvqa data leaks``: what splits, data sets and folders of pictures share, and split files without it."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from radvqa.data.dataset import Problems
from radvqa.data.leaks.clean import REASONS, check_choice, write_clean
from radvqa.data.leaks.find import Overlap, Shared, find_leaks
from radvqa.data.leaks.looks import SIDE
from radvqa.data.leaks.near import LEAST_CORRELATION, MOST_BITS
from radvqa.data.leaks.parts import Part

_EXAMPLES = 5


def leaks(
    names: Sequence[str],
    *,
    out: Path | None = None,
    drop: str = "train",
    by: Collection[str] | None = None,
    skip_bad: bool = False,
) -> dict[str, Any]:
    """Compare every two splits of the named data sets, and write those that leak without their leaks.

    Args:
        names: data sets as ``name`` or ``name:version`` (their splits are compared with each other too), split files
            (``….json``), or folders of pictures.
        out: folder for the split files; nothing is written without it.
        drop: the side that loses its leaking rows: ``train`` keeps the test split whole, ``test`` the other.
        by: kinds of leak that a row is left out for, of ``rephrasings``, ``questions``, ``pictures`` and ``near``; all
            by default.
        skip_bad: leave unusable rows and pictures out, and report them, instead of stopping at the first.

    Returns:
        ``parts`` with their sizes; ``pairs`` with, for each kind of leak, how many of the first and of the second
        part it touches and a few examples; ``written``; ``left_out`` (a sentence for each bad row or picture);
        ``notes``; and the thresholds of near-duplicates.

    Raises:
        DataError: for an unknown name, kind or side, and for bad data unless ``skip_bad``.
    """
    by = tuple(REASONS) if by is None else by
    check_choice(drop, by)
    problems = Problems(skip=skip_bad)
    overlaps = find_leaks(names, problems)
    written = write_clean(overlaps, Path(out), drop=drop, by=by) if out else []
    parts = {part.name: part for overlap in overlaps for part in (overlap.first, overlap.second)}
    return {
        "names": list(names),
        "near_duplicate": {"thumbnail": SIDE, "most_bits": MOST_BITS, "least_correlation": LEAST_CORRELATION},
        "parts": [_size(part) for part in parts.values()],
        "pairs": [_pair(overlap) for overlap in overlaps],
        "written": [
            {
                "path": str(clean.path),
                "dataset": clean.dataset,
                "split": clean.split,
                "kept": clean.kept,
                "left_out": dict(clean.left_out),
            }
            for clean in written
        ],
        "left_out": problems.found,
        "notes": _notes(list(parts.values()), drop if out else ""),
    }


def _size(part: Part) -> dict[str, Any]:
    return {"name": part.name, "pictures": len(part.pictures), "questions": len(part.samples)}


def _pair(overlap: Overlap) -> dict[str, Any]:
    near = overlap.near_pictures
    return {
        "first": overlap.first.name,
        "second": overlap.second.name,
        "pictures": [len(overlap.first.pictures), len(overlap.second.pictures)],
        "questions": [len(overlap.first.samples), len(overlap.second.samples)],
        "same_picture": _counts(overlap.same_picture),
        "same_file": _counts(overlap.same_file),
        "near": {
            "pairs": len(overlap.near),
            "touched": [len(near.first), len(near.second)],
            "examples": [[first, second, round(r, 4)] for first, second, r in overlap.near[:_EXAMPLES]],
        },
        "same_question": _counts(overlap.same_question),
        "same_answer": _counts(overlap.same_answer),
        "near_question": _counts(overlap.near_question),
        "rephrased": _counts(overlap.rephrased),
    }


def _counts(shared: Shared) -> dict[str, Any]:
    pairs: Mapping[str, str] = shared.first
    return {
        "touched": [len(shared.first), len(shared.second)],
        "examples": [[first, second] for first, second in list(pairs.items())[:_EXAMPLES]],
    }


def _notes(parts: Sequence[Part], drop: str) -> list[str]:
    notes = []
    folders = [part.name for part in parts if not part.dataset]
    if drop == "train" and folders:
        notes.append(
            f"{' and '.join(folders)}: a folder has no rows to leave out; `--drop test` leaves out the test rows "
            f"whose pictures it holds."
        )
    if any(part.links for part in parts):
        unlinked = sorted({part.dataset for part in parts if part.dataset and not part.links})
        if unlinked:
            notes.append(f"{', '.join(unlinked)}: which rows rephrase which is not known.")
    return notes
