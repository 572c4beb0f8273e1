"""``radvqa data deidentify``: a folder of DICOM files without what names the patients."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from radvqa import console, files
from radvqa.data.deidentify.files import Options, Outcome, deidentify_file, require_pydicom
from radvqa.data.deidentify.uids import Pseudonyms, new_key
from radvqa.errors import DataError


def deidentify(
    source: Path,
    out: Path,
    *,
    key: str | None = None,
    mask_text: bool = False,
    refuse_text: bool = True,
    jobs: int = 1,
) -> dict[str, Any]:
    """Apply the basic profile of DICOM PS3.15 to every DICOM file of a folder.

    Files come out uncompressed and are named after their new SOP Instance UIDs. ``out`` appears when all are done.
    Neither the result nor an error names a file of the source: its name may be a patient's. Files are counted from 1
    in the order of their paths, byte by byte.

    Args:
        source: a DICOM file, or a folder with files at any depth.
        out: the folder to make; an empty one may be there.
        key: the secret that new UIDs and patient numbers are derived with; one is made when None.
        mask_text: mask what a heuristic takes for text in pictures that usually have some.
        refuse_text: leave such pictures out when they are not masked.
        jobs: processes that work at the same time.

    Returns:
        ``files``, ``written``, ``not_dicom`` and ``burned_in_text_kept`` (numbers of files), ``refused`` and ``same``
        (file and reason), ``masked`` (file, new name, boxes as left, top, width, height), ``attributes`` (name, effect
        and how often), and ``key``: the one that was made, else None. It is written nowhere.

    Raises:
        DataError: when there is no source, when ``out`` is not empty or lies within the source, for a short key, and
            without pydicom.
    """
    require_pydicom()
    source, out = Path(source), Path(out)
    _check_places(source, out)
    made = new_key() if key is None else None
    names = Pseudonyms(made or key or "")
    found = _files(source)
    with _failing("output folder", "written"), files.atomic_folder(out) as folder:
        outcomes = _work(found, folder, names, Options(mask_text, refuse_text), jobs)
        same = _name(outcomes, folder)
        written = [outcome for outcome in outcomes if outcome.uid]
    if any(not (out / f"{outcome.uid}.dcm").is_file() for outcome in written):
        raise DataError("Another process filled the output folder in the meantime; name another one.")
    return _report(outcomes, same, made)


def require_some(report: dict[str, Any]) -> None:
    """Turn a run that wrote nothing into an error.

    Raises:
        DataError: with the number of files that were left out.
    """
    if not report["written"]:
        raise DataError(
            f"Nothing was written: {report['not_dicom']} of {report['files']} files are not DICOM, and "
            f"{len(report['refused'])} were refused."
        )


def _check_places(source: Path, out: Path) -> None:
    """Refuse places that would mix input and output; the sentences name no path, which may hold a patient's name."""
    if not source.exists():
        raise DataError("The source does not exist; name a DICOM file or a folder of them.")
    with _failing("output folder", "read"):
        if out.exists() and not out.is_dir():
            raise DataError("The output must be a folder, and a file has that name; name another one.")
        if out.is_dir() and any(out.iterdir()):
            raise DataError("The output folder is not empty; name another one, so that old and new do not mix.")
    if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
        raise DataError("The output folder lies within the source; name one outside, or the next run would read it.")


@contextmanager
def _failing(what: str, how: str) -> Iterator[None]:
    """Say what failed without the path that the operating system names."""
    try:
        yield
    except OSError as error:
        raise DataError(f"The {what} cannot be {how}: {error.strerror}.") from None
    except BrokenProcessPool:
        raise DataError("A working process was ended, perhaps for lack of memory; name fewer jobs.") from None


def _files(source: Path) -> list[Path]:
    """Every file, in the order of the paths' bytes, which no locale changes."""
    if source.is_file():
        return [source]

    def refuse(error: OSError) -> None:
        raise DataError(f"A folder within the source cannot be read: {error.strerror}.")

    found = [Path(folder) / name for folder, _, names in os.walk(source, onerror=refuse) for name in names]
    return sorted((path for path in found if path.is_file()), key=os.fsencode)


def _work(found: Sequence[Path], folder: Path, names: Pseudonyms, options: Options, jobs: int) -> list[Outcome]:
    numbers = range(1, len(found) + 1)
    targets = [folder / str(number) for number in numbers]
    one = partial(deidentify_file, names=names, options=options)
    outcomes = []
    with console.progress("de-identifying", len(found)) as advance:
        if jobs == 1 or len(found) < 2:
            for outcome in map(one, numbers, found, targets):
                outcomes.append(outcome)
                advance(1)
            return outcomes
        # forking a process with threads can hang
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            for outcome in pool.map(one, numbers, found, targets, chunksize=8):
                outcomes.append(outcome)
                advance(1)
    return outcomes


def _name(outcomes: Sequence[Outcome], folder: Path) -> list[dict[str, Any]]:
    """Name the written files after their UIDs; of several with one UID the first stays."""
    first: dict[str, Outcome] = {}
    same = []
    for outcome in outcomes:
        if not outcome.uid:
            continue
        written = folder / str(outcome.number)
        earlier = first.setdefault(outcome.uid, outcome)
        if earlier is outcome:
            written.rename(folder / f"{outcome.uid}.dcm")
            continue
        written.unlink()
        alike = "It is the same as" if outcome.source == earlier.source else "It has the SOP Instance UID of another,"
        same.append({"file": outcome.number, "reason": f"{alike} file {earlier.number}."})
        outcome.uid, outcome.boxes = "", []
        outcome.suspected = False
        outcome.changes.clear()
    return same


def _report(outcomes: Sequence[Outcome], same: list[dict[str, Any]], made: str | None) -> dict[str, Any]:
    written = [outcome for outcome in outcomes if outcome.uid]
    changes: Counter[tuple[str, str]] = Counter()
    for outcome in written:
        changes += outcome.changes
    return {
        "files": len(outcomes),
        "written": len(written),
        "not_dicom": sum(not outcome.is_dicom for outcome in outcomes),
        "refused": [{"file": outcome.number, "reason": outcome.why_not} for outcome in outcomes if outcome.why_not],
        "same": same,
        "burned_in_text_kept": sum(outcome.suspected and not outcome.boxes for outcome in written),
        "masked": [
            {"file": outcome.number, "name": f"{outcome.uid}.dcm", "boxes": [list(box) for box in outcome.boxes]}
            for outcome in written
            if outcome.boxes
        ],
        "attributes": [
            {"attribute": attribute, "effect": effect, "times": times}
            for (attribute, effect), times in sorted(changes.items())
        ],
        "key": made,
    }
