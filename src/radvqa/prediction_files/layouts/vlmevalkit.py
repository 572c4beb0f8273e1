"""The prediction tables of VLMEvalKit: ``MODEL_DATASET.xlsx``, or ``.tsv`` and ``.json`` when ``PRED_FORMAT`` says so.

Source: open-compass/VLMEvalKit, ``vlmeval/inference.py`` (``infer_data_job`` adds ``prediction`` to the data set's
columns and drops ``image``) and ``vlmeval/smp/file.py`` (``dump``, ``get_pred_file_format``), read as of 2026; the
columns of a data set are ``index``, ``question``, ``answer``, ``A`` to ``Z``, ``category``, ``l2-category``,
``hint``, ``split`` and ``image_path``.
"""

from collections.abc import Iterator
from string import ascii_uppercase

from radvqa.prediction_files.layout import Request, Row
from radvqa.prediction_files.layouts.table import find
from radvqa.prediction_files.records import Records

NO_ANSWER = "Failed to obtain answer"
"""How the answer begins that stands for a call which failed (``INFER_FAIL_MSG``, ``FAIL_MSG``)."""

ITS_OWN = {"A", "category", "l2-category", "image_path", "hint", "split", "thinking"}


class ResultTable:
    """A table whose choices stand in columns named by their letters."""

    def recognises(self, records: Records) -> bool:
        """Whether the columns are those of a result table rather than of any table."""
        columns = set(records.columns)
        return {"index", "question", "prediction"} <= columns and "id" not in columns and bool(ITS_OWN & columns)

    def rows(self, records: Records, request: Request) -> Iterator[Row]:
        """Yield every row; a failed call is a missing answer.

        Raises:
            DataError: as for any table.
        """
        letters = [letter for letter in ascii_uppercase if letter in records.columns]
        choices = letters if letters[:2] == ["A", "B"] else []
        found = find(records, request, [name for name in records.columns if name not in choices])
        columns = list(found.theirs.items())
        failed = 0
        for number, record in records.read():
            values = {ours: record.get(theirs) for ours, theirs in columns}
            if choices and "options" not in values:
                values["options"] = [str(record[letter]) for letter in choices if record.get(letter) is not None]
            if isinstance(answer := values.get("prediction"), str) and answer.startswith(NO_ANSWER):
                values["prediction"] = None
                failed += 1
            yield number, values
        if failed:
            request.notes.append(f"{failed} answers say {NO_ANSWER!r}: VLMEvalKit got none, so they are missing.")


LAYOUT = ResultTable()
