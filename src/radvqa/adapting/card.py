"""The card of an adapted checkpoint: what it was made from, and how far it went."""

from collections.abc import Mapping
from typing import Any

_NOT_FOR_DIAGNOSIS = (
    "**Research only, not for diagnosis.** The licence of the checkpoint that it was made from holds for it too, and "
    "so do the terms of the data that it has learned from: do not pass it on where they forbid it."
)


def card(facts: Mapping[str, Any], figures: Mapping[str, str]) -> str:
    """Return the card as Markdown.

    Args:
        facts: of ``adaptation.json``.
        figures: what was measured, as a name and a sentence each.
    """
    spec = facts["spec"]
    parts = [
        f"# {spec['title'] or spec['name']}",
        f"`{spec['checkpoint']}`, adapted with radvqa {facts['provenance']['radvqa']} (`radvqa adapt {facts['kind']}`, "
        f"seed {facts['provenance']['seed']}). Any recipe can name this folder in place of the published checkpoint.",
        _NOT_FOR_DIAGNOSIS,
        "## Data",
        "\n".join(f"- {name}: {_counted(held)}" for name, held in facts["data"].items()),
        "## Measured",
        "\n".join(f"- {name}: {sentence}" for name, sentence in figures.items()),
        "The whole specification, digests of the data and what it cost are in `adaptation.json`.",
    ]
    return "\n\n".join(parts) + "\n"


def _counted(held: Mapping[str, Any]) -> str:
    return ", ".join(f"{value:,} {name}" for name, value in held.items() if isinstance(value, int))
