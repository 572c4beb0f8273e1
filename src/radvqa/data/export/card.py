"""The card (README.md) that goes with an export: what it is, whose it is, and under which licence."""

from collections.abc import Mapping
from typing import Any

import yaml

from radvqa.data.dataset import Facts, Version
from radvqa.data.export.pictures import Images


def card(
    name: str,
    facts: Facts,
    version: Version,
    splits: Mapping[str, int],
    *,
    about: str,
    images: Images,
    head: Mapping[str, Any],
) -> str:
    """Write the card.

    Args:
        name: ``name:version``.
        facts: of the data set.
        version: that was exported.
        splits: rows by split.
        about: the format in a sentence.
        images: whether pictures were copied or referred to.
        head: what tools look for at the head of the page.
    """
    named = {"pretty_name": facts.title, "license": "other", "license_name": facts.licence}
    lines = [
        "---",
        yaml.safe_dump({**named, **head}, allow_unicode=True, sort_keys=False).rstrip(),
        "---",
        "",
        f"# {facts.title}",
        "",
        f"`{name}`: {version.summary}",
        "",
        "**For research only, not for diagnosis.**",
        "",
        f"- Licence: {facts.licence}",
        f"- Terms: {facts.terms or 'none beside the licence are known here'}",
        f"- Cite: {facts.citation or facts.source}",
        f"- Source: {facts.address or facts.source}",
        "",
        "The copy stays under the data set's licence.",
        "",
        "## What is here",
        "",
        about,
        "",
        _PICTURES[images],
        "",
        "| split | rows |",
        "|---|---|",
        *(f"| {split} | {rows} |" for split, rows in splits.items()),
    ]
    known = [*([version.warning] if version.warning else []), *facts.notes]
    if known:
        lines += ["", "## To know before use", "", *(f"- {sentence}" for sentence in known)]
    return "\n".join(lines) + "\n"


_PICTURES: Mapping[Images, str] = {
    "copy": "Pictures are copies, byte for byte.",
    "reference": "Pictures are not copied: rows name their paths on the machine that wrote them.",
}
