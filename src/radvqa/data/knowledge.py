"""SLAKE's knowledge graph: what the questions of type KG ask about, as triples."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radvqa import files
from radvqa.errors import DataError

_FILES: Final = {
    "en": {"en_organ.csv": "#", "en_organ_rel.csv": "#", "en_disease.csv": "#"},
    "zh": {"organ.csv": ",", "organ_rel.csv": ",", "disease.csv": ","},
}
"""Files of each language and what separates their three columns."""


@dataclass(frozen=True, slots=True)
class Triple:
    """One statement of the graph.

    Attributes:
        subject: organ, organ system or disease.
        relation: ``function``, ``location``, ``belong to`` …
        object: what is stated, a name or a sentence.
    """

    subject: str
    relation: str
    object: str


def knowledge(folder: Path, language: str) -> list[Triple]:
    """Read the graph of one language: organs, relations of organs, diseases.

    Args:
        folder: SLAKE's folder, with ``KG/`` in it.
        language: ``en`` or ``zh``.

    Raises:
        DataError: for another language, and when a file is absent or a row has not three columns.
    """
    if language not in _FILES:
        raise DataError(f"SLAKE's knowledge graph is in en and zh, not in {language!r}.")
    return [
        triple for name, separator in _FILES[language].items() for triple in _triples(folder / "KG" / name, separator)
    ]


def _triples(path: Path, separator: str) -> Iterator[Triple]:
    text = files.read_text(path).removeprefix("\ufeff")
    lines = io.StringIO(text, newline="")
    # the English files quote nothing: a quotation mark there belongs to the text
    rows = csv.reader(lines) if separator == "," else csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)
    for number, row in enumerate(rows, start=1):
        if not row or number == 1:
            continue
        if len(row) != 3:
            raise DataError(f"{path}, row {number}: expected subject, relation and object, found {len(row)} columns.")
        yield Triple(*(value.strip() for value in row))
