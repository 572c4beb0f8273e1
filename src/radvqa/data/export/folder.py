"""Write a whole export, and read it back."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from radvqa import files, fingerprint
from radvqa.data.dataset import Facts, Problems, Version
from radvqa.data.export.card import card
from radvqa.data.export.format import FORMATS, Exported
from radvqa.data.export.pictures import Images, Pictures
from radvqa.data.fetch.disk import free_bytes
from radvqa.errors import DataError, nearest
from radvqa.sample import Sample

RECORD = "export.json"
"""Which files hold which splits, and the digest of the rows."""

_VERSION = 1


def write_export(
    samples: Sequence[Sample],
    folder: Path,
    *,
    name: str,
    facts: Facts,
    version: Version,
    format: str = "hf",  # noqa: A002 - what the option is called
    images: Images = "copy",
    problems: Problems | None = None,
) -> dict[str, Any]:
    """Write rows, pictures and a card into a folder that appears when it is whole.

    Args:
        samples: in the order in which they are to be read; splits are kept apart.
        folder: where to; it must not exist.
        name: ``name:version``.
        facts: of the data set.
        version: that is exported.
        format: an entry of ``FORMATS``.
        images: ``copy``, or ``reference`` for paths on this machine.
        problems: where rows without a picture are reported; by default the first one raises.

    Returns:
        ``rows``, ``pictures`` (distinct ones) and ``splits`` (rows of each).

    Raises:
        DataError: when the format is unknown, the folder exists, a row or picture cannot be written, or the disk is
            full.
    """
    problems = problems or Problems()
    if format not in FORMATS:
        raise DataError(f"There is no format {format!r}; {nearest(format, list(FORMATS))}")
    if images not in ("copy", "reference"):
        raise DataError(f"Pictures cannot be exported by {images!r}; known: copy, reference.")
    if folder.exists():
        raise DataError(f"{folder} exists; name a folder that does not, or remove it.")
    kept = _with_pictures(samples, problems)
    if not kept:
        raise DataError(f"{name} has no rows to export.")
    try:
        return _write(kept, folder, name, facts, version, format, images)
    except OSError as error:
        raise DataError(
            f"{folder} cannot be written: {error.strerror or error}; {free_bytes(folder):,} bytes are free there."
        ) from None


def _write(
    samples: Sequence[Sample],
    folder: Path,
    name: str,
    facts: Facts,
    version: Version,
    format_name: str,
    images: Images,
) -> dict[str, Any]:
    chosen = FORMATS[format_name]
    splits: dict[str, list[Sample]] = {}
    for sample in samples:
        splits.setdefault(sample.split, []).append(sample)
    paths = _paths(list(splits), chosen.suffix)
    with files.atomic_folder(folder) as temporary:
        pictures = Pictures(temporary, images, inside=chosen.inside)
        for split, rows in splits.items():
            chosen.write(temporary / paths[split], rows, pictures)
        counts = {split: len(rows) for split, rows in splits.items()}
        record = {
            "version": _VERSION,
            "format": format_name,
            "data_set": name,
            "licence": facts.licence,
            "images": images,
            "digest": fingerprint.of_samples(sample for rows in splits.values() for sample in rows),
            "parts": [{"split": split, "file": paths[split], "rows": counts[split]} for split in splits],
        }
        files.write_json(temporary / RECORD, record)
        head = chosen.card(list(paths.items()))
        page = card(name, facts, version, counts, about=chosen.about, images=images, head=head)
        files.write_text(temporary / "README.md", page)
    return {"rows": len(samples), "pictures": len(pictures), "splits": counts}


def read_export(folder: Path) -> Iterator[Exported]:
    """Read an export back, split by split in the order of writing.

    Raises:
        DataError: when the folder is no export, a row is not as it was written, or rows are missing.
    """
    record = files.read_json(folder / RECORD)
    try:
        if record["version"] != _VERSION:
            raise DataError(f"{folder / RECORD} is of version {record['version']!r}; {_VERSION} is known.")
        chosen = FORMATS[record["format"]]
        parts = [(str(part["file"]), int(part["rows"])) for part in record["parts"]]
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{folder / RECORD} is not what `radvqa data export` writes.") from None
    for file, rows in parts:
        count = 0
        for exported in chosen.read(folder / file, folder):
            count += 1
            yield exported
        if count != rows:
            raise DataError(f"{folder / file} holds {count:,} rows where {rows:,} were written.")


def _with_pictures(samples: Sequence[Sample], problems: Problems) -> list[Sample]:
    there = {path: path.is_file() for path in {sample.image_path for sample in samples}}
    for sample in samples:
        if not there[sample.image_path]:
            problems.report(f"{sample.source or sample.id}: the picture {sample.image_path} is missing.")
    return [sample for sample in samples if there[sample.image_path]]


def _paths(splits: Sequence[str], suffix: str) -> dict[str, str]:
    """Name a file for each split; names of files know fewer characters than names of splits."""
    paths: dict[str, str] = {}
    for split in splits:
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", split)[:60] or "split"
        while suffix.format(plain).lower() in map(str.lower, paths.values()):
            plain += "_"
        paths[split] = suffix.format(plain)
    return paths
