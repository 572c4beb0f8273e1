"""JSON lines: one object a row with every field, pictures beside."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.data.export.fields import sample_of, values_of
from radvqa.data.export.format import Exported
from radvqa.data.export.pictures import Pictures
from radvqa.sample import Sample


class JsonLines:
    """``SPLIT.jsonl``: the fields of ``radvqa.sample.Sample``, and ``picture``."""

    about = "JSON lines: every field of a sample, and `picture`, the path of its picture."
    suffix = "{}.jsonl"
    inside = False

    def write(self, path: Path, samples: Sequence[Sample], pictures: Pictures) -> None:
        """Write one object a line."""
        files.write_jsonl(path, (values_of(sample, pictures.name(sample)) for sample in samples))

    def read(self, path: Path, folder: Path) -> Iterator[Exported]:
        """Yield the rows in order."""
        for number, values in enumerate(files.read_jsonl(path), start=1):
            yield Exported(sample_of(values, folder, f"{path}, row {number}"))

    def card(self, files: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Return nothing: no tool looks there."""
        return {}


FORMAT = JsonLines()
