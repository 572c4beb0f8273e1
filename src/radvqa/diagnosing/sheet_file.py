"""The review sheet as CSV: written for spreadsheets, read back from them.

Cells that a spreadsheet would take for a formula get an apostrophe in front, which is taken off again
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from radvqa import files
from radvqa.diagnosing.sheet import VERDICTS, Row
from radvqa.errors import DataError, nearest

ASKED = ("id", "image", "question", "gold", "prediction", "confidence", "why")
FILLED = ("verdict", "failure", "comment", "reviewer")
COLUMNS = (*ASKED, *FILLED)
_NEEDED = ("id", "prediction", "gold", "verdict", "reviewer")

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_MARK = "\ufeff"  # tells spreadsheets that the file is UTF-8


@dataclass(frozen=True)
class Judged:
    """What one reviewer said about one question.

    Attributes:
        id: of the question.
        reviewer: who.
        verdict: one of ``VERDICTS``.
        failure: what went wrong, in the reviewer's own words; empty when not said.
        comment: anything else.
        gold: the stored answer that was judged.
        prediction: the model's answer that was judged.
        why: it was on the sheet.
    """

    id: str
    reviewer: str
    verdict: str
    failure: str = ""
    comment: str = ""
    gold: str = ""
    prediction: str = ""
    why: str = ""


def written(rows: Sequence[Row]) -> str:
    """Return the sheet as CSV text, with empty columns to fill in."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        confidence = "" if row.confidence is None else f"{row.confidence:.4f}"
        cells = (row.id, row.image, row.question, row.gold, row.prediction, confidence, row.why)
        writer.writerow([*(guarded(cell) for cell in cells), *("" for _ in FILLED)])
    return _MARK + buffer.getvalue()


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """Return the cell as it was before ``guarded``."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def read(path: Path) -> list[Judged]:
    """Read a filled sheet; rows without a verdict are left out.

    Commas, semicolons and tabs are told apart by the first line, because spreadsheets write what their country uses.

    Raises:
        DataError: when columns are missing, a verdict is unknown, a reviewer is missing, or one judges a question
            twice; the message names the row.
    """
    found: list[Judged] = []
    known: dict[tuple[str, str], int] = {}
    for number, cells in enumerate(_table(path, _NEEDED), start=2):
        judged = _judged(cells, f"{path}, row {number}")
        if judged is None:
            continue
        before = known.setdefault((judged.id, judged.reviewer), number)
        if before != number:
            raise DataError(
                f"{path}, row {number}: {judged.reviewer} judged {judged.id!r} already in row {before}; keep one of "
                f"them."
            )
        found.append(judged)
    return found


def asked(path: Path) -> list[Row]:
    """Read the questions of a sheet, filled or not.

    Raises:
        DataError: when it is absent, is no sheet, or a confidence is no number.
    """
    rows = []
    for number, cells in enumerate(_table(path, ASKED), start=2):
        id_, image, question, gold, prediction, confidence, why = (unguarded(str(cells[name] or "")) for name in ASKED)
        try:
            sure = float(confidence) if confidence else None
        except ValueError:
            raise DataError(f"{path}, row {number}: {confidence!r} is no confidence.") from None
        rows.append(Row(id_, image, question, gold, prediction, sure, why))
    return rows


def _table(path: Path, needed: Sequence[str]) -> list[dict[str | None, str | list[str] | None]]:
    """Read the rows below the names of the columns."""
    text = files.read_text(path).removeprefix(_MARK)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        table = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise DataError(f"{path} is not CSV: {error}.") from None
    columns = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    missing = [name for name in needed if name not in columns]
    if missing:
        raise DataError(
            f"{path} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; a review sheet has "
            f"{', '.join(COLUMNS)}."
        )
    return [dict(row) for row in table]


def _judged(cells: Mapping[str | None, str | list[str] | None], where: str) -> Judged | None:
    if cells.get(None):
        raise DataError(f"{where} has more cells than the first row.")
    text = {str(name): unguarded(str(cell or "")) for name, cell in cells.items()}
    verdict = text["verdict"].strip().lower()
    if not verdict:
        return None
    if verdict not in VERDICTS:
        raise DataError(f"{where}: there is no verdict {verdict!r}; {nearest(verdict, list(VERDICTS))}")
    reviewer = " ".join(text["reviewer"].split())
    if not reviewer:
        raise DataError(f"{where}: the column reviewer is empty; say who judged.")
    return Judged(
        id=text["id"],
        reviewer=reviewer,
        verdict=verdict,
        failure=text.get("failure", "").strip(),
        comment=text.get("comment", "").strip(),
        gold=text["gold"],
        prediction=text["prediction"],
        why=text.get("why", ""),
    )
