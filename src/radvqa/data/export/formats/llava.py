"""LLaVA's JSON: a list of conversations about pictures, as its training and many others read.

Source: H. Liu et al., Visual Instruction Tuning, NeurIPS 2023, and the page ``docs/Finetune_Custom_Data.md`` of its
repository: ``id``, ``image``, ``conversations`` with ``from`` (``human``, ``gpt``) and ``value``.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.data.export.fields import PICTURE, sample_of, values_of
from radvqa.data.export.format import Exported
from radvqa.data.export.pictures import Pictures
from radvqa.data.export.prompt import prompt
from radvqa.errors import DataError
from radvqa.sample import Sample

_OWN = "radvqa"
"""The key that holds what a conversation cannot: every field, so that nothing is lost."""


class Llava:
    """``SPLIT.json``: conversations of one turn, the picture first."""

    about = "LLaVA's JSON: `id`, `image`, `conversations`; every other field of a sample is under `radvqa`."
    suffix = "{}.json"
    inside = False

    def write(self, path: Path, samples: Sequence[Sample], pictures: Pictures) -> None:
        """Write one list, a row a line."""
        with files.atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as handle:
            for number, sample in enumerate(samples):
                row = json.dumps(_row(sample, pictures.name(sample)), ensure_ascii=False, allow_nan=False)
                handle.write(("[\n" if number == 0 else ",\n") + row)
            handle.write("\n]\n" if samples else "[]\n")

    def read(self, path: Path, folder: Path) -> Iterator[Exported]:
        """Yield the rows in order."""
        rows = files.read_json(path)
        if not isinstance(rows, list):
            raise DataError(f"{path}: expected a JSON list, found {type(rows).__name__}.")
        for number, row in enumerate(rows, start=1):
            where = f"{path}, row {number}"
            if not isinstance(row, dict) or not isinstance(row.get(_OWN), dict):
                raise DataError(f"{where}: the key {_OWN!r} is missing, without which the row is not the whole sample.")
            yield Exported(sample_of({**row[_OWN], "id": row.get("id"), PICTURE: row.get("image")}, folder, where))

    def card(self, files: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Return nothing: no tool looks there."""
        return {}


def _row(sample: Sample, picture: str) -> dict[str, Any]:
    own = {name: value for name, value in values_of(sample, picture).items() if name not in ("id", PICTURE)}
    turns = [("human", f"<image>\n{prompt(sample)}"), ("gpt", sample.answer)]
    return {
        "id": sample.id,
        "image": picture,
        "conversations": [{"from": speaker, "value": value} for speaker, value in turns],
        _OWN: own,
    }


FORMAT = Llava()
