"""A plain table, whoever wrote it: JSON lines, JSON, CSV, TSV or a spreadsheet whose columns are found by name."""

from collections.abc import Collection, Iterator

from radvqa.errors import DataError
from radvqa.prediction_files.columns import Mapped, listed, mapped
from radvqa.prediction_files.layout import Request, Row
from radvqa.prediction_files.records import Records

NEEDED = {"prediction": "the model's answers", "answer": "the gold answers"}


class Table:
    """Columns found by our names, by well-known other names, or as the user says."""

    def recognises(self, records: Records) -> bool:
        """Whether the records are a table: any are."""
        return bool(records.columns)

    def rows(self, records: Records, request: Request) -> Iterator[Row]:
        """Yield every row under our names.

        Raises:
            DataError: when a column that is needed is absent, or two may be the same.
        """
        found = find(records, request, records.columns)
        columns = list(found.theirs.items())
        for number, record in records.read():
            yield number, {ours: record.get(theirs) for ours, theirs in columns}


def find(records: Records, request: Request, among: Collection[str]) -> Mapped:
    """Find our columns among some of a table's, and note what was read as what.

    Raises:
        DataError: when a column that is needed is absent, or two may be the same.
    """
    found = mapped(records.path, among, request.columns)
    for ours, what in NEEDED.items():
        if ours not in found.theirs and (request.answered if ours == "prediction" else request.judged):
            raise DataError(
                f"{records.path} has no column with {what}; its columns are {listed(among)}. "
                f"Name it with --columns {ours}=COLUMN."
            )
    request.notes.extend(found.notes())
    return found


LAYOUT = Table()
