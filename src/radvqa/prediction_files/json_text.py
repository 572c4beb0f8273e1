"""JSON and JSON lines, with what other programs leave in them: NaN, halves of emoji, one list inside an object."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from radvqa.errors import DataError

LISTS = ("predictions", "results", "data", "samples", "logs", "rows", "records", "answers", "annotations")
"""Keys under which an object keeps its rows, most telling first."""

_DECODER = json.JSONDecoder(parse_constant=lambda _: None)  # NaN and the infinities are not JSON: nothing is given


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """Open UTF-8 text, with or without a byte-order mark.

    Raises:
        DataError: when what is read inside is not UTF-8; the message names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            yield handle
    except UnicodeDecodeError:
        raise DataError(
            f"{path}, line {_line_that_is_not_utf8(path)} is not UTF-8 text; save the file as UTF-8."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None


def is_lines(path: Path) -> bool:
    """Whether the file holds one JSON value a line rather than one document.

    A document over several lines is never whole in its first; one line alone is a document when it holds rows.
    """
    with opened(path) as handle:
        filled = (line.strip() for line in handle if line.strip())
        first, second = next(filled, ""), next(filled, "")
    if first.startswith("["):
        return False
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return True
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return bool(second) or not any(_is_rows(item) for item in value.values())


def lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield one object a line, skipping blank lines.

    Raises:
        DataError: when a line is not UTF-8 or no JSON object; the message names it.
    """
    with opened(path) as handle:
        for number, line in enumerate(handle, start=1):
            text = line.rstrip()
            if text:
                value = _parsed(text, f"{path}, line {number}")
                if not isinstance(value, dict):
                    raise DataError(f"{path}, line {number}: expected a JSON object, found {type(value).__name__}.")
                yield number, value


def document(path: Path) -> list[Any]:
    """Read the rows of one JSON document: a list of objects, or an object that holds one list of them.

    Raises:
        DataError: when the file is not UTF-8, not JSON, or holds no such list.
    """
    with opened(path) as handle:
        text = handle.read()
    value = _parsed(text, str(path))
    if isinstance(value, list):
        return value
    lists = [key for key, item in value.items() if _is_rows(item)] if isinstance(value, dict) else []
    named = [key for key in LISTS if key in lists]
    if len(lists) > 1 and not named:
        raise DataError(f"{path} holds several lists ({', '.join(lists)}); keep only the one with the predictions.")
    if not lists:
        raise DataError(f"{path} holds no list of objects; write one JSON object a line, or a list of objects.")
    rows: list[Any] = value[(named or lists)[0]]
    return rows


def checked(path: Path, rows: list[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a document.

    Raises:
        DataError: when a row is no object; the message names it.
    """
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise DataError(f"{path}, row {number}: expected a JSON object, found {type(row).__name__}.")
        yield number, row


def _parsed(text: str, where: str) -> Any:
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}" if "\n" in text else f"column {error.colno}"
        raise DataError(f"{where} is not valid JSON: {error.msg} at {at}.") from None
    except RecursionError:
        raise DataError(f"{where} is not valid JSON: it is nested too deeply.") from None
    except ValueError:  # a number of thousands of digits
        raise DataError(f"{where} is not valid JSON: a number in it is too long.") from None
    return _whole(value) if "\\ud" in text or "\\uD" in text else value


def _whole(value: Any) -> Any:
    """Replace halves of surrogate pairs, which no file can hold, by U+FFFD; whole pairs are already one character."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _line_that_is_not_utf8(path: Path) -> int:
    with path.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 1
