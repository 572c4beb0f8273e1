"""``radvqa data export``: a data set in a form that other tools read."""

from pathlib import Path
from typing import Any

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.data.export.folder import write_export
from radvqa.data.export.pictures import Images


def export(
    name: str,
    out: Path,
    *,
    format: str = "hf",  # noqa: A002 - what the option is called
    split: str | None = None,
    images: Images = "copy",
    skip_bad: bool = False,
) -> dict[str, Any]:
    """Write a data set as HF ``datasets`` (Parquet), LLaVA JSON or JSON lines, with its pictures and a card.

    Args:
        name: ``name`` or ``name:version``.
        out: folder to write; it must not exist.
        format: ``hf``, ``llava`` or ``jsonl``.
        split: a published split or a split file; every split by default.
        images: ``copy``, or ``reference`` to name their paths on this machine instead.
        skip_bad: leave unusable rows out, and report them.

    Returns:
        ``name``, ``folder``, ``format``, ``rows``, ``pictures``, ``splits`` (rows of each), ``left_out``, and
        ``licence``, ``terms`` and ``citation`` of the data set, which hold for the copy.

    Raises:
        DataError: for an unknown name, split or format, a folder that exists, bad rows unless ``skip_bad``, and a
            full disk.
    """
    selection = registry.select(name)
    facts = selection.data_set.facts
    problems = Problems(skip=skip_bad)
    samples = registry.load_split(name, split, problems) if split else registry.load(name, problems)
    written = write_export(
        samples,
        Path(out),
        name=selection.name,
        facts=facts,
        version=selection.version,
        format=format,
        images=images,
        problems=problems,
    )
    return {
        "name": selection.name,
        "folder": str(out),
        "format": format,
        **written,
        "left_out": problems.found,
        "licence": facts.licence,
        "terms": facts.terms,
        "citation": facts.citation,
    }
