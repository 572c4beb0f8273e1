"""``radvqa data list|check|prepare``: what there is, whether it is whole, and everything decoded ahead of time."""

import os
from collections.abc import Sequence
from typing import Any

from radvqa import console, fingerprint
from radvqa.data import registry
from radvqa.data.dataset import Problems, Split
from radvqa.errors import DataError
from radvqa.sample import Sample


def list_data() -> list[dict[str, Any]]:
    """Describe every known data set and version, and whether its folder is there."""
    root = os.environ.get("RADVQA_DATA", "")
    rows = []
    for name, data_set in registry.DATASETS.items():
        facts = data_set.facts
        for version_name, version in facts.versions.items():
            rows.append(
                {
                    "name": f"{name}:{version_name}",
                    "default": version_name == facts.default,
                    "title": facts.title,
                    "version": version.summary,
                    "licence": facts.licence,
                    "source": facts.source,
                    "language": version.language,
                    "splits": {split: known.rows for split, known in version.splits.items()},
                    "present": not facts.folder or (bool(root) and os.path.isdir(f"{root}/{facts.folder}")),  # noqa: PTH112
                    "warning": version.warning,
                    "notes": list(facts.notes),
                }
            )
    return rows


def check_data(name: str, *, skip_bad: bool = False) -> dict[str, Any]:
    """Compare a data set with what was published: rows, images, split digests; and decode every picture.

    Args:
        name: ``name`` or ``name:version``.
        skip_bad: report every bad row and picture instead of stopping at the first.

    Returns:
        ``ok``, per split what was found and what was published, ``left_out`` (one sentence per bad row or picture),
        and the data set's known traps.

    Raises:
        DataError: for the first bad row or picture, unless ``skip_bad``.
    """
    selection = registry.select(name)
    problems = Problems(skip=skip_bad)
    samples = registry.load(name, problems)
    broken = _decode_all(samples, problems)
    splits = {}
    for split, published in selection.version.splits.items():
        splits[split] = _compare([sample for sample in samples if sample.split == split], published)
    return {
        "name": selection.name,
        "ok": not problems.found and all(split["matches"] for split in splits.values()),
        "splits": splits,
        "pictures_decoded": len({sample.image_path for sample in samples}) - broken,
        "left_out": problems.found,
        "notes": list(selection.data_set.facts.notes),
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


def _decode_all(samples: Sequence[Sample], problems: Problems) -> int:
    """Decode every distinct picture, without the caches: a check believes nothing that was remembered."""
    from concurrent.futures import ThreadPoolExecutor

    from radvqa.data import image
    from radvqa.errors import ImageError

    first_use: dict[Any, Sample] = {}
    for sample in samples:
        first_use.setdefault(sample.image_path, sample)

    def why_not(sample: Sample) -> str | None:
        try:
            image.decode(sample.image_path)
        except ImageError as error:
            return f"{error} It is the picture of {sample.source or sample.id}."
        return None

    broken = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool, console.progress("checking images", len(first_use)) as advance:
        for why in pool.map(why_not, first_use.values()):
            advance(1)
            if why:
                broken += 1
                problems.report(why)
    return broken


def _compare(samples: Sequence[Sample], published: Split) -> dict[str, Any]:
    digest = fingerprint.of_samples(samples)
    found = Split(len(samples), len({sample.image for sample in samples}), digest)
    matches = (found.rows, found.images) == (published.rows, published.images)
    return {
        "rows": found.rows,
        "rows_published": published.rows,
        "images": found.images,
        "images_published": published.images,
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
        f"{split}: {found['rows']} rows on {found['images']} images"
        f" (published {found['rows_published']} on {found['images_published']})"
        + ("" if found["digest"] == found["digest_known"] or not found["digest_known"] else ", other content")
        for split, found in report["splits"].items()
        if not found["matches"]
    ]
    left_out = [f"{len(report['left_out'])} bad rows or pictures"] if report["left_out"] else []
    raise DataError(f"{report['name']} is not as published: {'; '.join(differing + left_out)}.")
