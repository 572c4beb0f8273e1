"""A section of the page, made: its Markdown, its figures, and what it answers in a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from radvqa.report.grid import Table, markdown_text, to_markdown
from radvqa.report.results_page.shelf import Missing, System

LEVEL = 3
"""Level of the headings within a section."""


@dataclass(frozen=True)
class Part:
    """A section.

    Attributes:
        blocks: paragraphs, lists and tables as Markdown.
        reached: sentences for the page's beginning, about what was to be reached.
        found: the same about everything else.
        figures: name of the file → PNG.
        facts: the numbers as plain values.
    """

    blocks: Sequence[str]
    reached: Sequence[str] = ()
    found: Sequence[str] = ()
    figures: Mapping[str, bytes] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def table(shown: Table | None) -> list[str]:
    """Render a table; nothing where there is none."""
    return [] if shown is None else [to_markdown(shown, LEVEL).rstrip()]


def bullets(sentences: Sequence[str]) -> list[str]:
    """Render sentences as a list; nothing where there are none."""
    return ["\n".join(f"- {markdown_text(sentence)}" for sentence in sentences)] if sentences else []


def still_missing(missing: Sequence[Missing]) -> list[str]:
    """Say which runs are not ready, and the command that makes each."""
    once = {lacking.name: lacking for lacking in missing}
    if not once:
        return []
    lines = [f"- {markdown_text(m.label)}, `{m.name}`, {m.state}: `{m.command}`" for m in once.values()]
    return ["Not ready:\n\n" + "\n".join(lines)]


def led(title: str, said: str) -> str:
    """Lead a sentence of the page's beginning by the section that it is about."""
    return f"{title} {said}" if title.endswith("?") else f"{title}: {said}"


def folded(said: str, blocks: Sequence[str]) -> list[str]:
    """Fold blocks behind a line that opens them; nothing where there are none."""
    return [f"<details><summary>{said}</summary>", *blocks, "</details>"] if blocks else []


def commands(systems: Sequence[System], more: Sequence[str] = ()) -> list[str]:
    """Print the commands that make the rows again, folded."""
    lines = list(dict.fromkeys([*(line for system in systems for line in system.commands), *more]))
    if not lines:
        return []
    fenced = "\n".join(lines)
    return folded("Commands that make these rows again", [f"```bash\n{fenced}\n```"])
