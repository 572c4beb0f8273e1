"""The review sheets in all run folders: found, read, and marked as a filled sheet marks them."""

import threading
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from radvqa.diagnosing.sheet import VERDICTS, Row
from radvqa.diagnosing.sheet_file import Judged
from radvqa.diagnosing.taking_in import Diagnosed
from radvqa.errors import DataError, RadvqaError, RunError
from radvqa.report.numbers import without_folders
from radvqa.reviewing.queue import checked_name
from radvqa.run import Answers, Run
from radvqa.serving.runs.listed import Runs

_PATIENCE = 10.0  # seconds to wait for whoever else writes into a run folder


class Sheets:
    """All sheets of the listed runs.

    Args:
        runs: in whose folders they are.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._lock = threading.Lock()

    def told(self) -> list[dict[str, Any]]:
        """Describe all sheets: run, data set, split, how many questions, who judged how many, what it came to."""
        found = []
        for name, folder in self._runs.names().items():
            if any(folder.glob("diagnosis*.json")):
                with suppress(RadvqaError):  # a damaged run hides no other
                    found += [_described(name, sheet) for sheet in _sheets_of(Run(folder))]
        return found

    def sheet(self, run: str, data: str, split: str) -> Diagnosed:
        """Return one.

        Raises:
            RunError: when there is none.
        """
        for sheet in _sheets_of(self._runs.run(run)):
            if (sheet.answers.dataset, sheet.answers.split) == (data, split):
                return sheet
        raise RunError(f"{run} has no review sheet on {data} {split}; `radvqa diagnose` makes it.")

    def mark(self, sheet: Diagnosed, row: str, reviewer: str, said: dict[str, str]) -> dict[str, Any] | None:
        """Take a verdict in, on disk when this returns; an empty one takes the reviewer's earlier one back.

        Args:
            sheet: that is filled in.
            row: id of the question.
            reviewer: who.
            said: ``verdict``, ``failure`` and ``comment``.

        Raises:
            DataError: when the sheet has no such question, the verdict is unknown, or the run has other answers now.
            RadvqaError: when another process holds the run folder for long.
        """
        if said["verdict"] and said["verdict"] not in VERDICTS:
            raise DataError(f"There is no verdict {said['verdict']!r}; one of {', '.join(VERDICTS)}.")
        asked = question(sheet, row)
        judged = Judged(
            asked.id, checked_name(reviewer), gold=asked.gold, prediction=asked.prediction, why=asked.why, **said
        )
        try:
            with self._lock, Run.held(sheet.run.folder, _PATIENCE):
                return sheet.mark(judged)
        except RadvqaError as error:
            raise RunError(without_folders(str(error))) from None


def question(sheet: Diagnosed, row: str) -> Row:
    """Return a question of a sheet.

    Raises:
        DataError: when it has none of this id.
    """
    for one in sheet.rows():
        if one.id == row:
            return one
    raise DataError(f"The sheet has no question with the id {row!r}.")


def filled(sheet: Diagnosed, reviewer: str) -> dict[str, Any]:
    """Return the questions of a sheet, and what one reviewer said of them."""
    marks = {one.id: one for one in sheet.judged() if one.reviewer == " ".join(reviewer.split())}
    return {
        "data": sheet.answers.dataset,
        "split": sheet.answers.split,
        "verdicts": [{"name": name, "said": said} for name, said in VERDICTS.items()],
        "rows": [asdict(row) for row in sheet.rows()],
        "marks": {
            name: {"verdict": one.verdict, "failure": one.failure, "comment": one.comment}
            for name, one in marks.items()
        },
    }


def _sheets_of(run: Run) -> list[Diagnosed]:
    """Find the sheets in a run folder; what is damaged, or has no sheet in the folder, is left out."""
    found = []
    for path in sorted(run.folder.glob("diagnosis*.json")):
        suffix = path.stem.removeprefix("diagnosis")
        try:
            result = Diagnosed(run, Answers("", "", suffix)).result()
        except RadvqaError:
            continue
        sheet = Diagnosed(run, Answers(str(result.get("dataset")), str(result.get("split")), suffix))
        if sheet.sheet_file.is_file():
            found.append(sheet)
    return found


def _described(name: str, sheet: Diagnosed) -> dict[str, Any]:
    rows, judged = {row.id for row in sheet.rows()}, sheet.judged()
    return {
        "run": name,
        "data": sheet.answers.dataset,
        "split": sheet.answers.split,
        "rows": len(rows),
        "judged": len(rows & {one.id for one in judged}),
        "reviewers": dict(sorted(Counter(one.reviewer for one in judged if one.id in rows).items())),
        "summary": sheet.result().get("judged"),
    }
