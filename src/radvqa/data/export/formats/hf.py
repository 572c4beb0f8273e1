"""HF ``datasets``: Parquet with ``messages`` and ``images``, as trainers of vision-language models read."""

import importlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from radvqa.data.export.fields import PICTURE, TEXTS, sample_of, values_of
from radvqa.data.export.format import Exported
from radvqa.data.export.pictures import Pictures
from radvqa.data.export.prompt import prompt
from radvqa.errors import DataError
from radvqa.sample import Sample

_GROUP_BYTES = 2**25
_GROUP_ROWS = 1000
_READ_ROWS = 32

_STRING = {"dtype": "string", "_type": "Value"}
_OWN = tuple(name for name in TEXTS if name != "id")


class Parquet:
    """``data/SPLIT.parquet``: ``id``, ``messages``, ``images`` (bytes and name), and every field of ``Sample``.

    Rows are written in groups of some 32 MB. Within a group a picture that several rows show is stored once.
    """

    about = "Parquet for HF `datasets`: `messages` (role, content), `images`, and every field of a sample as a column."
    suffix = "data/{}.parquet"
    inside = True

    def write(self, path: Path, samples: Sequence[Sample], pictures: Pictures) -> None:
        """Write row groups as they fill.

        Raises:
            DataError: when pyarrow is absent, or a row cannot be written.
        """
        pyarrow, parquet = _libraries()
        schema = _schema(pyarrow)
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {"compression": "zstd", "dictionary_pagesize_limit": 2 * _GROUP_BYTES}
        with parquet.ParquetWriter(path, schema, **options) as writer:
            rows: list[dict[str, Any]] = []
            size = 0
            for sample in samples:
                rows.append(_row(sample, pictures))
                size += len(rows[-1]["images"][0]["bytes"] or b"") + len(sample.question) + len(sample.context)
                if size >= _GROUP_BYTES or len(rows) == _GROUP_ROWS:
                    writer.write_table(pyarrow.Table.from_pylist(rows, schema))
                    rows, size = [], 0
            if rows:
                writer.write_table(pyarrow.Table.from_pylist(rows, schema))

    def read(self, path: Path, folder: Path) -> Iterator[Exported]:
        """Yield the rows in order, a few in memory at once."""
        pyarrow, parquet = _libraries()
        try:
            with parquet.ParquetFile(path) as opened:
                number = 0
                for batch in opened.iter_batches(_READ_ROWS):
                    for values in batch.to_pylist():
                        number += 1
                        yield _exported(values, folder, f"{path}, row {number}")
        except FileNotFoundError:
            raise DataError(f"{path} does not exist.") from None
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(f"{path} is no whole Parquet file: {error}.") from None

    def card(self, files: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Return which file is which split."""
        data_files = [{"split": Path(file).stem, "path": file} for _, file in files]
        return {"configs": [{"config_name": "default", "data_files": data_files}]}


def _libraries() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise DataError("Parquet needs pyarrow, which is not installed: pip install 'radvqa[parquet]'.") from None


def _schema(pyarrow: Any) -> Any:
    """Return the columns, with the note that ``datasets`` decodes pictures by."""
    text = pyarrow.string()
    content = pyarrow.struct([("type", text), ("text", text)])
    turn = pyarrow.struct([("role", text), ("content", pyarrow.list_(content))])
    picture = pyarrow.struct([("bytes", pyarrow.binary()), ("path", text)])
    columns = [
        ("id", text),
        ("messages", pyarrow.list_(turn)),
        ("images", pyarrow.list_(picture)),
        *((name, text) for name in _OWN),
        ("options", pyarrow.list_(text)),
    ]
    features = {
        "id": _STRING,
        "messages": [{"role": _STRING, "content": [{"type": _STRING, "text": _STRING}]}],
        # the older way to write a list, which every version of datasets knows
        "images": {"feature": {"_type": "Image"}, "_type": "Sequence"},
        **dict.fromkeys(_OWN, _STRING),
        "options": {"feature": _STRING, "_type": "Sequence"},
    }
    return pyarrow.schema(columns, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _row(sample: Sample, pictures: Pictures) -> dict[str, Any]:
    values = values_of(sample, pictures.name(sample))
    picture = {"bytes": pictures.content(sample), "path": values.pop(PICTURE)}
    asked = [{"type": "image", "text": None}, {"type": "text", "text": prompt(sample)}]
    answered = [{"type": "text", "text": sample.answer}]
    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return {**values, "messages": messages, "images": [picture]}


def _exported(values: dict[str, Any], folder: Path, where: str) -> Exported:
    pictures = values.get("images")
    if not isinstance(pictures, list) or len(pictures) != 1 or not isinstance(pictures[0], dict):
        raise DataError(f"{where}: 'images' must be a list of one picture.")
    sample = sample_of({**values, PICTURE: pictures[0].get("path")}, folder, where)
    return Exported(sample, pictures[0].get("bytes"))


FORMAT = Parquet()
