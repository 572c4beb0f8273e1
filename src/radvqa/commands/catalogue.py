"""The known data sets as plain values, and the page about them: the same on every machine."""

from typing import Any

from radvqa.data import registry
from radvqa.data.dataset import Facts, Version
from radvqa.report.data_page import render


def data_page() -> str:
    """Return ``docs/data.md``."""
    return render([describe(name, data_set.facts) for name, data_set in registry.DATASETS.items()])


def describe(name: str, facts: Facts) -> dict[str, Any]:
    """Return what is known about a data set before it is read.

    Returns:
        ``name``, ``title``, ``task``, ``licence``, ``terms``, ``citation``, ``source``, ``address``, ``folder``,
        ``default``, ``versions`` (each with ``name``, ``summary``, ``language``, ``warning``, ``splits``),
        ``differences`` between the versions, ``notes``, ``altered``, ``pictures_apart``, ``fetchable`` and
        ``how_to_get``.
    """
    return {
        "name": name,
        "title": facts.title,
        "task": facts.task,
        "licence": facts.licence,
        "terms": facts.terms,
        "citation": facts.citation,
        "source": facts.source,
        "address": facts.address,
        "folder": facts.folder,
        "default": facts.default,
        "versions": [_version(version_name, version) for version_name, version in facts.versions.items()],
        "differences": differences(facts),
        "notes": list(facts.notes),
        "altered": facts.altered,
        "pictures_apart": facts.pictures_apart,
        "fetchable": bool(facts.downloads),
        "how_to_get": how_to_get(name, facts),
    }


def how_to_get(name: str, facts: Facts) -> str:
    """Say in a few sentences how to come by the data."""
    if not facts.folder:
        return facts.how_to_get or "Nothing to get: it is made here on first use."
    fetched = facts.downloads and "radvqa data fetch" not in facts.how_to_get
    ways = [f"`radvqa data fetch {name}` downloads it."] if fetched else []
    if facts.how_to_get:
        ways.append(facts.how_to_get)
    whence = facts.address or facts.source
    return " ".join(ways) or f"Get it from {whence} and put it into {facts.folder}/ below RADVQA_DATA."


def differences(facts: Facts) -> list[str]:
    """Say for each version in what its splits and its language differ from the default one's."""
    first = facts.versions[facts.default]
    return [
        f"{name} beside {facts.default}: {_difference(version, first)}."
        for name, version in facts.versions.items()
        if name != facts.default
    ]


def _version(name: str, version: Version) -> dict[str, Any]:
    return {
        "name": name,
        "summary": version.summary,
        "language": version.language,
        "warning": version.warning,
        "splits": {
            split: {"rows": known.rows or None, "images": known.images or None, "digest": known.digest or None}
            for split, known in version.splits.items()
        },
    }


def _difference(version: Version, first: Version) -> str:
    parts = [] if version.language == first.language else [f"language {version.language} instead of {first.language}"]
    for split in version.splits:
        rows = _counted(version, split)
        if split not in first.splits:
            parts.append(f"a split {split} of {rows}")
        elif rows == _counted(first, split):
            parts.append(f"as many rows in {split} ({rows})")
        else:
            parts.append(f"{rows} in {split} instead of {_counted(first, split)}")
    lacking = [split for split in first.splits if split not in version.splits]
    return "; ".join(parts + ([f"no split {' or '.join(lacking)}"] if lacking else []))


def _counted(version: Version, split: str) -> str:
    rows = version.splits[split].rows
    return f"{rows:,}" if rows else "an unpublished number"
