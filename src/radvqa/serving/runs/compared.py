"""Two runs side by side, from what ``radvqa compare`` says of them, and the questions on which they differ."""

import threading
from collections import Counter, OrderedDict
from typing import Any, Literal
from urllib.parse import urlencode

from radvqa.errors import RadvqaError, RunError
from radvqa.prediction import Prediction
from radvqa.report.comparison import Comparison, compare_runs
from radvqa.report.disagreements import shared
from radvqa.report.examples import listed_files
from radvqa.report.numbers import without_folders
from radvqa.report.paired import Paired, compare_rights, paired_table
from radvqa.report.tables import scores_table
from radvqa.report.thumbnails import small_picture
from radvqa.run import Answers, Run
from radvqa.serving.runs.listed import Runs, scored_on

Outcome = Literal["both_right", "only_first", "only_second", "both_wrong"]
OUTCOMES: dict[tuple[bool, bool], Outcome] = {
    (True, True): "both_right",
    (True, False): "only_first",
    (False, True): "only_second",
    (False, False): "both_wrong",
}
_KEPT = 4  # comparisons; the browser asks for many pages of one


class Compared:
    """Comparisons of two runs, the last few kept until their files change.

    Args:
        runs: that may be compared.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], Comparison] = OrderedDict()

    def comparison(self, first: str, second: str, data: str = "", split: str = "") -> Comparison:
        """Lay two runs side by side on a test that both were scored on.

        Args:
            first: name of a run.
            second: name of another.
            data: data set; by default the first that both were scored on.
            split: of it.

        Raises:
            RunError: when they share no test, or one is not listed.
        """
        runs = self._runs.run(first), self._runs.run(second)
        if runs[0].folder == runs[1].folder:
            raise RunError(f"{first} cannot be compared with itself; choose another run.")
        tests = both_scored_on(*runs)
        wanted = [test for test in tests if data in ("", test.dataset) and split in ("", test.split)]
        if not wanted:
            where = " ".join(part for part in (data, split) if part) or "any data set"
            raise RunError(f"{first} and {second} are not both scored on {where}; `radvqa score` does it.")
        test = wanted[0]
        stamps = (path.stat().st_mtime_ns for run in runs for path in sorted(run.folder.glob("[ps]*.jso*")))
        key = (first, second, test, *stamps)
        with self._lock:
            if key not in self._kept:
                (found,) = _told(runs, test)
                self._kept[key] = found
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

    def picture(self, name: str, image: str) -> bytes:
        """Return the small picture that a run keeps of an image, as WebP.

        Raises:
            RunError: when the run keeps none of it.
        """
        run = self._runs.run(name)
        for folder in sorted(run.folder.glob("thumbnails*")):
            path = listed_files(folder / "index.json").get(image)
            if path is not None:
                return small_picture(path)
        raise RunError(f"{name} keeps no small picture of {image!r}.")


def both_scored_on(first: Run, second: Run) -> list[Answers]:
    """Return the tests that two runs were scored on, the first one's own before others."""
    others = {(test.dataset, test.split) for test in scored_on(second)}
    return [test for test in scored_on(first) if (test.dataset, test.split) in others]


def _told(runs: tuple[Run, Run], test: Answers) -> list[Comparison]:
    try:
        return compare_runs([run.folder for run in runs], data=test.dataset, split=test.split)
    except RadvqaError as error:
        raise RunError(without_folders(str(error))) from None


def pair(comparison: Comparison) -> tuple[Paired | None, str]:
    """Return the difference of the second run to the first, and what must be known to read it.

    Runs that differ in the seed alone are one group, which ``radvqa compare`` does not compare with itself.
    """
    if comparison.paired:
        return comparison.paired[0], ""
    first, second = comparison.runs
    asked = shared(comparison)
    if len(asked) < max(len(first.predictions), len(second.predictions)):
        return None, "They did not answer the same questions, so there is no paired difference."
    found = compare_rights(second.name, [second.right], first.name, [first.right], first.predictions.values())
    return found, "These two runs differ in the seed alone: a difference between them is luck of the training."


def told(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison for the page: as ``radvqa compare --json`` has it, as tables, and in words."""
    difference, note = pair(comparison)
    tables = [scores_table(comparison.runs), paired_table([difference] if difference else [])]
    return {
        "comparison": without_folders(comparison.as_json()),
        "test": comparison.test,
        "runs": [run.name for run in comparison.runs],
        "difference": None if difference is None else difference.as_json(),
        "sentence": "" if difference is None else difference.sentence,
        "note": note,
        "tables": [without_folders(table.as_json()) for table in tables if table is not None],
        "notes": without_folders(list(comparison.notes)),
    }


def disagreements(
    comparison: Comparison,
    names: tuple[str, str],
    *,
    outcome: str = "",
    answer_type: str = "",
    search: str = "",
    offset: int = 0,
    limit: int = 25,
) -> dict[str, Any]:
    """Return questions that both runs answered.

    Args:
        comparison: of the two.
        names: of the runs as they are listed.
        outcome: one of ``OUTCOMES``; empty for all.
        answer_type: ``OPEN`` or ``CLOSED``; empty for both.
        search: text in question or answers.
        offset: questions to leave out at the beginning.
        limit: questions at most.

    Returns:
        ``questions``; ``total``, how many fit; ``counts`` of each outcome among those that fit but for it; ``types``.
    """
    asked = shared(comparison)
    fitting = [p for p in asked if answer_type in ("", p.answer_type) and _holds(p, comparison, search)]
    outcomes = {p.id: _outcome(p, comparison) for p in fitting}
    counts = Counter(outcomes.values())
    wanted = [p for p in fitting if outcome in ("", outcomes[p.id])]
    pictures = _pictures(comparison, names)
    return {
        "questions": [_shown(p, comparison, outcomes[p.id], pictures) for p in wanted[offset : offset + limit]],
        "total": len(wanted),
        "counts": {name: counts[name] for name in OUTCOMES.values()},
        "types": sorted({p.answer_type for p in asked}),
    }


def _outcome(asked: Prediction, comparison: Comparison) -> Outcome:
    first, second = comparison.runs
    return OUTCOMES[first.right[asked.id], second.right[asked.id]]


def _holds(asked: Prediction, comparison: Comparison, search: str) -> bool:
    given = (run.predictions[asked.id].prediction for run in comparison.runs)
    return not search or search.casefold() in "\n".join((asked.question, asked.answer, *given)).casefold()


def _pictures(comparison: Comparison, names: tuple[str, str]) -> dict[str, str]:
    """Return addresses of small pictures by image name."""
    found: dict[str, str] = {}
    for name, run in zip(names, comparison.runs, strict=True):
        for folder in sorted(run.run.folder.glob("thumbnails*")) if run.run else ():
            for image in listed_files(folder / "index.json"):
                found.setdefault(image, f"api/disagreements/picture?{urlencode({'run': name, 'image': image})}")
    return found


def _shown(asked: Prediction, comparison: Comparison, outcome: Outcome, pictures: dict[str, str]) -> dict[str, Any]:
    return {
        "id": asked.id,
        "question": asked.question,
        "gold": asked.answer,
        "answer_type": asked.answer_type,
        "question_type": asked.question_type,
        "image": asked.image,
        "picture": pictures.get(asked.image),
        "outcome": outcome,
        "answers": [
            {
                "answer": run.predictions[asked.id].prediction,
                "right": run.right[asked.id],
                "confidence": run.predictions[asked.id].confidence,
            }
            for run in comparison.runs
        ],
    }
