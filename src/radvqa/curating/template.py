"""Prompt templates of curation: a Markdown file with a name, a version, the kind of its questions and how many."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from radvqa import files, fingerprint
from radvqa.curating.pair import KINDS, Kind
from radvqa.endpoint import front_matter
from radvqa.errors import RadvqaError, nearest

PLACEHOLDERS = ("caption", "facts", "context", "count")
PLACE = re.compile(rf"\{{({'|'.join(PLACEHOLDERS)})\}}")
TEXTS: tuple[Kind, ...] = ("description", "rewrite")
"""Kinds whose whole reply is the answer."""

_FOLDER = Path(__file__).parent / "templates"
_MOST = 50


class TemplateError(RadvqaError):
    """A prompt template that cannot be used: file and reason named in the message."""


@dataclass(frozen=True, slots=True)
class Template:
    """What a model is told to write.

    Attributes:
        name: as the file names itself.
        version: raised by its author when the wording changes.
        kind: of the questions.
        pairs: at most so many are asked for.
        text: the prompt, with ``{caption}`` and maybe ``{facts}``, ``{context}`` and ``{count}``.
        sha256: of the whole file's text, so that a change without a new version shows.
    """

    name: str
    version: str
    kind: Kind
    pairs: int
    text: str
    sha256: str

    @property
    def called(self) -> str:
        """Name and version."""
        return f"{self.name}@{self.version}"


def built_in() -> list[str]:
    """Return the names of the templates that come with this package."""
    return front_matter.built_in(_FOLDER)


def load_template(template: str | Path) -> Template:
    """Read a template.

    Args:
        template: the name of a built-in one, or the path of a file of one's own.

    Raises:
        TemplateError: when there is no such template, or it is not as described.
    """
    try:
        path = front_matter.find(template, _FOLDER)
        text = files.read_text(path)
        front, prompt = front_matter.read(text, path, ("name", "version", "kind", "pairs"))
        front_matter.check_placeholders(prompt, path, PLACEHOLDERS, "a model")
    except RadvqaError as error:
        raise TemplateError(str(error)) from None
    if front["kind"] not in KINDS:
        raise TemplateError(f"{path}: there is no kind {front['kind']!r}; {nearest(str(front['kind']), list(KINDS))}")
    if not str(front["pairs"]).isdigit() or not 1 <= int(front["pairs"]) <= _MOST:
        raise TemplateError(f"{path}: 'pairs' must be a number from 1 to {_MOST}, found {front['pairs']!r}.")
    if "{caption}" not in prompt and "{context}" not in prompt:
        raise TemplateError(f"{path} lacks the placeholder {{caption}}; the model would see no text to write from.")
    digest = fingerprint.of_bytes(text.encode())
    kind = cast("Kind", front["kind"])
    return Template(str(front["name"]), str(front["version"]), kind, int(front["pairs"]), prompt.strip(), digest)
