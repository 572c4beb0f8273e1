"""All run folders below one folder, by their names; nothing that an asker writes becomes a path."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from radvqa.errors import RadvqaError, RunError
from radvqa.report.numbers import without_folders
from radvqa.run import Answers, Run

_DEEPEST = 6
_SECONDS = 1.0  # for so long a list of folders is taken as it was
_SIGNS = ("run.json", "history.jsonl", "log/steps.jsonl", "checkpoints", "checkpoints/resume")
"""What a training writes to while it runs."""


class UnknownRunError(RunError):
    """A run that is not listed."""


class Runs:
    """The run folders below a folder, nested ones too; what a run holds no runs.

    Args:
        folder: where runs are; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._lock = threading.Lock()
        self._found: dict[str, Path] = {}
        self._looked = float("-inf")
        self._told: dict[str, tuple[tuple[float, ...], dict[str, Any]]] = {}

    def names(self) -> dict[str, Path]:
        """Return run folders by name: the path below the folder, with slashes."""
        with self._lock:
            if time.monotonic() - self._looked > _SECONDS:
                found = sorted(_run_folders(str(self.folder), _DEEPEST))
                self._found = {Path(path).relative_to(self.folder).as_posix(): Path(path) for path in found}
                self._looked = time.monotonic()
            return self._found

    def run(self, name: str) -> Run:
        """Return a run.

        Raises:
            UnknownRunError: when no run is called so.
            RunError: when its folder cannot be read.
        """
        return Run(self._folder(name))

    def told(self) -> list[dict[str, Any]]:
        """Describe all runs in a few words each; a run is read again when its files changed."""
        return [self._one(name, folder) for name, folder in self.names().items()]

    def one(self, name: str) -> dict[str, Any]:
        """Describe a run.

        Raises:
            UnknownRunError: when no run is called so.
        """
        return self._one(name, self._folder(name))

    def _folder(self, name: str) -> Path:
        folder = self.names().get(name)
        if folder is None:
            raise UnknownRunError(f"There is no run {name!r}; look at the list of runs.")
        return folder

    def _one(self, name: str, folder: Path) -> dict[str, Any]:
        scores = sorted(path for path in folder.glob("scores*.json") if path.is_file())
        stamp = tuple(_modified(path) for path in (folder / "run.json", folder / "recipe.yaml", *scores))
        known = self._told.get(name)
        if known is None or known[0] != stamp:
            known = self._told[name] = (stamp, _described(name, folder))
        return {**known[1], "quiet_seconds": quiet_seconds(folder)}


def scored_on(run: Run) -> list[Answers]:
    """Return what a run is scored on, its own test split first."""
    found = []
    for path in sorted(run.folder.glob("scores*.json")):
        suffix = path.stem.removeprefix("scores")
        try:
            scores = run.scores(Answers("", "", suffix))
            found.append(Answers(str(scores["dataset"]), str(scores["split"]), suffix))
        except (RadvqaError, KeyError):
            continue
    return sorted(found, key=lambda answers: (answers.suffix, answers.dataset, answers.split))


def headline(run: Run) -> dict[str, Any] | None:
    """Return the accuracy of a run, on its own test split where it is scored there; None where it has no scores."""
    for answers in scored_on(run):
        overall = run.scores(answers).get("subsets", {}).get("overall")
        if isinstance(overall, dict) and overall.get("accuracy") is not None:
            return {
                "dataset": answers.dataset,
                "split": answers.split,
                "accuracy": overall["accuracy"],
                "interval": overall.get("accuracy_interval"),
                "questions": overall.get("n"),
                "clusters": overall.get("clusters"),
            }
    return None


def quiet_seconds(folder: Path) -> float | None:
    """For so long nothing was written that a training writes; None where nothing is known."""
    last = max(_modified(folder / name) for name in _SIGNS)
    return max(0.0, round(time.time() - last, 1)) if last else None


def _described(name: str, folder: Path) -> dict[str, Any]:
    """Describe a run; one whose files are damaged or half written says so instead of hiding the others."""
    known: dict[str, Any] = {
        "name": name,
        "state": "unreadable",
        "problem": "",
        "family": "",
        "title": "",
        "data": "",
        "seed": None,
        "score": None,
        "started": "",
        "ended": "",
    }
    try:
        run = Run(folder)
        facts = run.facts
        known |= {key: str(facts.get(key) or "") for key in ("started", "ended")}
        known["state"] = "finished" if run.finished else "training"
        if (folder / "recipe.yaml").is_file():  # it is written last when a training begins
            recipe = run.recipe
            known |= {
                "family": str(recipe.get("model", {}).get("family", "")),
                "title": str(recipe.get("title") or recipe.get("name") or ""),
                "data": str(recipe.get("data", {}).get("name", "")),
                "seed": recipe.get("training", {}).get("seed"),
                "score": headline(run),
            }
    except (RadvqaError, AttributeError, TypeError, ValueError) as error:
        known |= {"state": "unreadable", "problem": without_folders(str(error))}
    return known


def _run_folders(folder: str, deepest: int) -> Iterator[str]:
    try:
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except OSError:
        return
    if any(entry.name == "run.json" and entry.is_file() for entry in entries):
        yield folder
    elif deepest:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _run_folders(entry.path, deepest - 1)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
