"""A sample as named values and back: every field, with the picture's name in the place of its path."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from radvqa.errors import DataError
from radvqa.sample import ANSWER_TYPES, Sample, Task

PICTURE = "picture"
"""Where the picture lies: below the export's folder, or an absolute path."""

TEXTS = tuple(field.name for field in dataclasses.fields(Sample) if field.name not in ("image_path", "options"))
"""The fields that are text, in the order of ``Sample``."""

_CHOICES: Mapping[str, tuple[str, ...]] = {"answer_type": ANSWER_TYPES, "task": get_args(Task)}


def values_of(sample: Sample, picture: str) -> dict[str, Any]:
    """Return every field of a sample.

    Raises:
        DataError: when a text holds half of a surrogate pair, which no file of UTF-8 can hold.
    """
    values = {name: getattr(sample, name) for name in TEXTS}
    for name, text in (*values.items(), *(("options", option) for option in sample.options), (PICTURE, picture)):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"{sample.source or sample.id!r}: {name!r} holds half of a surrogate pair at character {error.start}, "
                f"which is no text; mend that row."
            ) from None
    return {**values, "options": list(sample.options), PICTURE: picture}


def sample_of(values: Any, folder: Path, where: str) -> Sample:
    """Make the sample again.

    Args:
        values: what ``values_of`` returned.
        folder: of the export, that pictures are found below.
        where: file and row, for messages.

    Raises:
        DataError: when a field is absent or of another type.
    """
    if not isinstance(values, dict):
        raise DataError(f"{where}: expected an object, found {type(values).__name__}.")
    for name in (*TEXTS, PICTURE):
        if not isinstance(values.get(name), str):
            raise DataError(f"{where}: {name!r} must be text, found {values.get(name)!r}.")
    for name, known in _CHOICES.items():
        if values[name] not in known:
            raise DataError(f"{where}: {name!r} must be one of {', '.join(known)}, found {values[name]!r}.")
    options = values.get("options")
    if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
        raise DataError(f"{where}: 'options' must be a list of texts, found {options!r}.")
    texts = {name: values[name] for name in TEXTS}
    return Sample(**texts, image_path=folder / values[PICTURE], options=tuple(options))
