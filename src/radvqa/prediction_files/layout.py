"""The seam for layouts: what a file of ``layouts/`` must offer so that its kind of file can be scored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from radvqa.prediction_files.records import Records
from radvqa.registry import Registry

Row = tuple[int, dict[str, Any]]
"""Where a row stands in its file, and its values by the names of ``Prediction``; None where nothing is given."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted of a file besides its rows.

    Attributes:
        columns: our name → the file's name, as the user said; an empty name leaves a column unread.
        answered: whether the file must hold a model's answers; a file of questions and gold answers need not.
        judged: whether the file must hold the gold answers.
        notes: where a layout leaves sentences that belong beside the score.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    answered: bool = True
    judged: bool = True
    notes: list[str] = field(default_factory=list)


class Layout(Protocol):
    """One way in which predictions are written to files."""

    def recognises(self, records: Records) -> bool:
        """Whether these records are in this layout."""
        ...

    def rows(self, records: Records, request: Request) -> Iterator[Row]:
        """Yield every row under our names.

        Raises:
            DataError: when a column or key that is needed is absent; the message names file and column.
        """
        ...


LAYOUTS: Registry[Layout] = Registry("radvqa.prediction_files.layouts", "LAYOUT")

FALLBACK = "table"
"""What a file is read as when no other layout recognises it."""
