"""Prompt templates of judges: a Markdown file with a name, a version, and what each verdict is worth."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radvqa import files, fingerprint
from radvqa.endpoint import front_matter
from radvqa.errors import RadvqaError

PLACEHOLDERS = ("question", "gold", "answer")

_FOLDER = Path(__file__).parent / "templates"
_KEYS = ("name", "version", "scale")
_WORD = re.compile(r"[a-z]+")


class TemplateError(RadvqaError):
    """A prompt template that cannot be used: file and reason named in the message."""


@dataclass(frozen=True, slots=True)
class Template:
    """What a judge is told.

    Attributes:
        name: as the file names itself.
        version: raised by its author when the wording changes.
        scale: verdict → what it is worth, between 0 and 1.
        text: the prompt, with the placeholders ``{question}``, ``{gold}`` and ``{answer}``.
        sha256: of the whole file's text, so that a change without a new version shows.
    """

    name: str
    version: str
    scale: Mapping[str, float]
    text: str
    sha256: str


def built_in() -> list[str]:
    """Return the names of the templates that come with this package."""
    return front_matter.built_in(_FOLDER)


def load_template(template: str | Path) -> Template:
    """Read a template.

    Args:
        template: the name of a built-in one, or the path of a file of one's own.

    Raises:
        TemplateError: when there is no such template, or its front matter or its placeholders are not as described.
    """
    try:
        path = front_matter.find(template, _FOLDER)
        text = files.read_text(path)
        front, prompt = front_matter.read(text, path, _KEYS)
        front_matter.check_placeholders(prompt, path, PLACEHOLDERS, "a judge")
    except RadvqaError as error:
        raise TemplateError(str(error)) from None
    scale = _scale(front["scale"])
    if not {0, 1} <= set(scale.values()):
        raise TemplateError(
            f"{path}: 'scale' must say what each verdict is worth, between 0 and 1, with one worth 1 and one worth 0, "
            f"such as {{correct: 1, partly: 0.5, wrong: 0}}; found {front['scale']!r}."
        )
    for name in PLACEHOLDERS:
        if f"{{{name}}}" not in prompt:
            raise TemplateError(f"{path} lacks the placeholder {{{name}}}; the judge would not see it.")
    digest = fingerprint.of_bytes(text.encode())
    return Template(str(front["name"]), str(front["version"]), scale, prompt.strip(), digest)


def _scale(written: Any) -> dict[str, float]:
    """Read what verdicts are worth; empty when it cannot be read."""
    try:
        scale = {verdict: float(worth) for verdict, worth in written.items()}
    except (AttributeError, TypeError, ValueError):
        return {}
    fits = all(_WORD.fullmatch(verdict) and 0 <= worth <= 1 for verdict, worth in scale.items())
    return scale if fits else {}
