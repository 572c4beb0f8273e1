"""Verdicts of experts taken into a run folder that was diagnosed, whether they come as a sheet or one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.diagnosing import judgements, sheet_file
from radvqa.diagnosing.diagnosis import FORMAT
from radvqa.diagnosing.material import Material, material
from radvqa.diagnosing.sheet import Row
from radvqa.diagnosing.sheet_file import Judged
from radvqa.errors import RunError
from radvqa.run import Answers, Run


@dataclass(frozen=True)
class Diagnosed:
    """A run that was diagnosed on one data set and split.

    Attributes:
        run: its folder.
        answers: on which data set and split.
    """

    run: Run
    answers: Answers

    @property
    def file(self) -> Path:
        """What ``radvqa diagnose`` found."""
        return self.run.folder / self.answers.file("diagnosis", "json")

    @property
    def judged_file(self) -> Path:
        """What experts said."""
        return judged_file(self.run, self.answers)

    @property
    def sheet_file(self) -> Path:
        """The sheet, where it was not put elsewhere."""
        return sheet_folder(self.run, self.answers) / "sheet.csv"

    def result(self) -> dict[str, Any]:
        """Read what was found.

        Raises:
            RunError: when the run was not diagnosed by this version.
        """
        result = files.read_json(self.file) if self.file.is_file() else None
        if not isinstance(result, dict) or result.get("format") != FORMAT:
            raise RunError(
                f"{self.run.folder} has no diagnosis of this version; `radvqa diagnose {self.run.folder}` makes it."
            )
        return result

    def rows(self) -> list[Row]:
        """Read the questions of the sheet.

        Raises:
            DataError: when there is no sheet, or it is damaged.
        """
        return sheet_file.asked(self.sheet_file)

    def judged(self) -> list[Judged]:
        """Read what experts said."""
        return judgements.kept(self.judged_file)

    def material(self, result: dict[str, Any]) -> Material:
        """Lay the run's answers out as the diagnosis did."""
        return material(self.run.predictions(self.answers), normaliser=result["normaliser"])

    def keep(self, everything: Sequence[Judged], result: dict[str, Any], made: Material) -> dict[str, Any]:
        """Write all that experts said, and what it comes to beside what was found; whoever calls holds the run."""
        judgements.keep(self.judged_file, everything)
        result = {**result, "judged": judgements.summary(made, everything)}
        files.write_json(self.file, result)
        return result

    def mark(self, judged: Judged) -> dict[str, Any] | None:
        """Take one verdict in, or take it back where it is empty; whoever calls holds the run.

        Returns:
            what everything that was judged comes to.

        Raises:
            DataError: when the run has no such question, or other answers.
            RunError: when the run was not diagnosed.
        """
        result = self.result()
        made = self.material(result)
        judgements.require_known([judged], made, self.sheet_file)
        others = [one for one in self.judged() if (one.id, one.reviewer) != (judged.id, judged.reviewer)]
        everything = judgements.joined(others, [judged] if judged.verdict else [])
        summed: dict[str, Any] | None = self.keep(everything, result, made)["judged"]
        return summed


def judged_file(run: Run, answers: Answers) -> Path:
    """Where a run folder keeps what experts said."""
    return run.folder / answers.file("judged", "jsonl")


def sheet_folder(run: Run, answers: Answers) -> Path:
    """Where a run folder keeps the page and the sheet."""
    return run.folder / f"diagnosis{answers.suffix}"
