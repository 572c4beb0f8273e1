"""What was done to a table, step by step, beside it: the card tells it, and nobody has to remember."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.errors import DataError


def path_of(table: Path) -> Path:
    """Return the file beside a table that says how it came about."""
    return table.with_name(f"{table.stem}.steps.json")


def read_steps(table: Path) -> list[dict[str, Any]]:
    """Return the steps of a table, oldest first; none where nothing is known.

    Raises:
        DataError: for a file that holds something else.
    """
    path = path_of(table)
    if not path.is_file():
        return []
    found = files.read_json(path)
    if not isinstance(found, list) or not all(isinstance(step, dict) and "step" in step for step in found):
        raise DataError(f"{path} does not say how {table.name} came about; delete it, or make the table again.")
    return found


def write_steps(table: Path, steps: Sequence[Mapping[str, Any]]) -> None:
    """Write the steps of a table, beside it."""
    files.write_json(path_of(table), list(steps))


def with_step(table: Path, step: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of a table and one more.

    A step that is done again takes the place of its earlier self, and of what followed that.
    """
    known = read_steps(table)
    last = next((place for place, one in enumerate(known) if one["step"] == step["step"]), len(known))
    return [*known[:last], dict(step)]
