"""The file of JSON lines that ``radvqa predict`` writes into a run folder (``predictions.jsonl``)."""

from collections.abc import Iterator

from radvqa.prediction_files.columns import OURS
from radvqa.prediction_files.layout import Request, Row
from radvqa.prediction_files.layouts.table import LAYOUT as TABLE
from radvqa.prediction_files.records import Records

REQUIRED = {"id", "question", "answer", "prediction", "answer_type"}


class OwnLines:
    """A table in which every key has our name, so that nothing is left to be found out."""

    def recognises(self, records: Records) -> bool:
        """Whether all keys are ours, the required ones among them."""
        return records.form == "json lines" and REQUIRED <= set(records.columns) <= set(OURS)

    def rows(self, records: Records, request: Request) -> Iterator[Row]:
        """Yield every row; a key that the user says is another's is read as that.

        Raises:
            DataError: when the user named a key that there is not.
        """
        return TABLE.rows(records, request)


LAYOUT = OwnLines()
