"""``radvqa data list|explain|check|prepare``: what there is, whether it is whole, and pictures decoded early."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from radvqa import console, files, fingerprint
from radvqa.commands.catalogue import data_page, describe, how_to_get
from radvqa.data import presence, registry
from radvqa.data.dataset import Facts, Problems, Split
from radvqa.errors import DataError
from radvqa.sample import Sample

_REDUCED = 256  # pixels; the longest side of pictures in copies that were made smaller


def list_data(*, markdown: Path | None = None) -> list[dict[str, Any]]:
    """Describe every known data set and version, its state on this machine and how to get it.

    Args:
        markdown: write the page ``docs/data.md`` here; what is on this machine does not change it.
    """
    if markdown is not None:
        files.write_text(markdown, data_page())
    rows = []
    for name, data_set in registry.DATASETS.items():
        facts = data_set.facts
        for version_name, version in facts.versions.items():
            there = presence.of_version(facts, version)
            rows.append(
                {
                    "name": f"{name}:{version_name}",
                    "default": version_name == facts.default,
                    "title": facts.title,
                    "version": version.summary,
                    "licence": facts.licence,
                    "source": facts.source,
                    "address": facts.address,
                    "task": facts.task,
                    "language": version.language,
                    "splits": {split: known.rows for split, known in version.splits.items()},
                    "present": there.state != "not here",
                    "state": there.state,
                    "missing": list(there.missing),
                    "how_to_get": how_to_get(name, facts),
                    "warning": version.warning,
                    "notes": list(facts.notes),
                }
            )
    return rows


def explain_data(name: str) -> dict[str, Any]:
    """Tell all that is known about a data set: licence, versions and how they differ, traps, and its state here.

    Args:
        name: ``name`` or ``name:version``, or a YAML file of one's own.

    Returns:
        What ``catalogue.describe`` returns, and ``state``; each version has ``state`` and ``missing`` too.

    Raises:
        DataError: for an unknown name or version.
    """
    selection = registry.select(name)
    facts = selection.data_set.facts
    there = {known: presence.of_version(facts, version) for known, version in facts.versions.items()}
    report = describe(selection.data_set.name, facts)
    for version in report["versions"]:
        found = there[version["name"]]
        version.update(state=found.state, missing=list(found.missing))
    return {**report, "state": presence.of_all(there.values())}


def check_data(name: str, *, skip_bad: bool = False) -> dict[str, Any]:
    """Compare a data set with what was published: rows, images, split digests; and decode every picture.

    Args:
        name: ``name`` or ``name:version``, or a YAML file of one's own.
        skip_bad: report every bad row and picture instead of stopping at the first.

    Returns:
        ``ok``, per split what was found and what was published, ``pictures_decoded``, ``pictures_apart`` (a sentence
        when a copy has none of its pictures and is whole without), ``altered`` (a sentence for each part that is seen
        not to be as published), ``smaller_copies`` (what copies that were made smaller are known to have altered),
        ``left_out`` (one sentence per bad row or picture), and the data set's known traps.

    Raises:
        DataError: for the first bad row or picture, unless ``skip_bad``.
    """
    selection = registry.select(name)
    facts = selection.data_set.facts
    problems = Problems(skip=skip_bad)
    samples = registry.load(name, problems)
    apart = bool(facts.pictures_apart) and not any(path.is_file() for path in {s.image_path for s in samples})
    sides = {} if apart else _decode_all(samples, problems)
    splits = {}
    for split, published in selection.version.splits.items():
        splits[split] = _compare([sample for sample in samples if sample.split == split], published)
    return {
        "name": selection.name,
        "published": selection.file is None,
        "ok": not problems.found and all(split["matches"] for split in splits.values()),
        "splits": splits,
        "pictures_decoded": len(sides),
        "pictures_apart": f"The pictures are not part of this copy. {facts.pictures_apart}" if apart else "",
        "altered": _altered(samples, sides, facts),
        "smaller_copies": facts.altered,
        "left_out": problems.found,
        "notes": list(facts.notes),
    }


def prepare_data(name: str, *, size: int = 224, skip_bad: bool = False) -> dict[str, Any]:
    """Decode and resize every picture of a data set into the image store, so that training starts at once.

    Args:
        name: ``name`` or ``name:version``.
        size: side in pixels.
        skip_bad: leave unusable rows and pictures out.
    """
    from radvqa.data.store import ImageStore, Preprocessing

    problems = Problems(skip=skip_bad)
    samples = registry.load(name, problems)
    usable = ImageStore(Preprocessing(size)).add(samples, problems)
    return {
        "name": registry.select(name).name,
        "questions": len(usable),
        "pictures": len(set(usable.values())),
        "size": size,
        "left_out": problems.found,
    }


def _decode_all(samples: Sequence[Sample], problems: Problems) -> dict[Path, int]:
    """Decode every distinct picture, without the caches: a check believes nothing that was remembered.

    Returns:
        the longest side in pixels of each picture that can be decoded.
    """
    from concurrent.futures import ThreadPoolExecutor

    from radvqa.data import image
    from radvqa.errors import ImageError

    first_use: dict[Path, Sample] = {}
    for sample in samples:
        first_use.setdefault(sample.image_path, sample)

    def longest_side(sample: Sample) -> int | str:
        try:
            height, width = image.decode(sample.image_path).shape[:2]
        except ImageError as error:
            return f"{error} It is the picture of {sample.source or sample.id}."
        return int(max(height, width))

    sides: dict[Path, int] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool, console.progress("checking images", len(first_use)) as advance:
        for path, found in zip(first_use, pool.map(longest_side, first_use.values()), strict=True):
            advance(1)
            if isinstance(found, str):
                problems.report(found)
            else:
                sides[path] = found
    return sides


def _altered(samples: Sequence[Sample], sides: dict[Path, int], facts: Facts) -> list[str]:
    """Say which parts of a copy are seen not to be as published."""
    published = {sample.image_path: Path(sample.image).suffix.lower() for sample in samples}
    other = [path for path in sides if published[path] and path.suffix.lower() != published[path]]
    found = []
    if other:
        was, now = (" or ".join(sorted(kinds)) for kinds in ({published[p] for p in other}, {p.suffix for p in other}))
        found.append(f"{len(other):,} of {len(sides):,} pictures are {now} files; {was} was published.")
    if sides and facts.altered and max(sides.values()) <= _REDUCED:
        found.append(f"No picture is longer than {max(sides.values())} px: they were made smaller.")
    return found


def _compare(samples: Sequence[Sample], published: Split) -> dict[str, Any]:
    digest = fingerprint.of_samples(samples)
    rows, images = len(samples), len({sample.image for sample in samples})
    matches = published.rows in (0, rows) and published.images in (0, images)
    return {
        "rows": rows,
        "rows_published": published.rows or None,
        "images": images,
        "images_published": published.images or None,
        "digest": digest,
        "digest_known": published.digest or None,
        "matches": matches and (not published.digest or published.digest == digest),
    }


def require_ok(report: dict[str, Any]) -> None:
    """Turn a failed check into an error.

    Raises:
        DataError: says what differs from what was published.
    """
    if report["ok"]:
        return
    differing = [
        f"{split}: {found['rows']} rows on {found['images']} images (published "
        f"{found['rows_published'] or 'without a number'} on {found['images_published'] or 'an unpublished number'})"
        + ("" if found["digest"] == found["digest_known"] or not found["digest_known"] else ", other content")
        for split, found in report["splits"].items()
        if not found["matches"]
    ]
    left_out = [f"{len(report['left_out'])} bad rows or pictures"] if report["left_out"] else []
    if not report["published"]:
        raise DataError(f"{report['name']} cannot be used as it is: {'; '.join(left_out)}.")
    raise DataError(f"{report['name']} is not as published: {'; '.join(differing + left_out)}.")
