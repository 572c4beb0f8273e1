"""A run with its scores on one data set and split, read once; and runs that differ in the seed alone."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from radvqa.errors import RunError
from radvqa.prediction import Prediction
from radvqa.run import Answers, Run

SUBSETS = ("overall", "open", "closed")


@dataclass(frozen=True)
class Scored:
    """A finished run and what ``radvqa score`` found for one data set and split.

    Attributes:
        name: the folder's name, made longer by its parent's where two runs share it.
        run: the run folder.
        answers: which data set and split.
        scores: the content of ``scores.json``.
        recipe: the resolved recipe.
        facts: the content of ``run.json``.
        provenance: the content of ``provenance.json``.
        history: one mapping per epoch.
    """

    name: str
    run: Run
    answers: Answers
    scores: dict[str, Any]
    recipe: dict[str, Any]
    facts: dict[str, Any]
    provenance: dict[str, Any]
    history: list[dict[str, Any]]

    @property
    def seed(self) -> Any:
        """The recipe's seed; None when it has none."""
        return self.recipe.get("training", {}).get("seed")

    @property
    def without_seed(self) -> str:
        """The recipe as text, the seed left out: equal for runs that differ in the seed alone."""
        training = {key: value for key, value in self.recipe.get("training", {}).items() if key != "seed"}
        return json.dumps({**self.recipe, "training": training}, sort_keys=True, default=str)

    @property
    def title(self) -> str:
        """The recipe's title, else its name, else the run's name."""
        return str(self.recipe.get("title") or self.recipe.get("name") or self.name)

    @property
    def select_by(self) -> str | None:
        """The metric that chose the checkpoint."""
        named = self.recipe.get("training", {}).get("select_by") or self.facts.get("selected", {}).get("metric")
        return None if named is None else str(named)

    @cached_property
    def predictions(self) -> dict[str, Prediction]:
        """The answers by sample id."""
        return {p.id: p for p in self.run.predictions(self.answers)}

    @property
    def sheet(self) -> dict[str, str]:
        """Sample id → the model's answer."""
        return {p.id: p.prediction for p in self.predictions.values()}

    @cached_property
    def baselines(self) -> dict[str, dict[str, str]]:
        """The trivial baselines' answers: name → sample id → answer."""
        return self.run.baselines(self.answers)

    def value(self, subset: str, metric: str) -> float | None:
        """Return one score as a fraction; None when it is undefined."""
        found: float | None = self.scores["subsets"].get(subset, {}).get(metric)
        return found


@dataclass(frozen=True)
class Group:
    """Runs of one recipe that differ in the seed alone; often only one.

    Attributes:
        label: how tables name the group.
        runs: the runs, in the order of their seeds.
    """

    label: str
    runs: tuple[Scored, ...]

    @property
    def size(self) -> str:
        """How many there are: ``3 seeds``, or ``3 runs, 2 seeds`` where a seed occurs twice."""
        seeds = len({json.dumps(run.seed) for run in self.runs})
        return f"{seeds} seeds" if seeds == len(self.runs) else f"{len(self.runs)} runs, {seeds} seed(s)"

    def mean_sd(self, subset: str, metric: str) -> tuple[float, float] | None:
        """Return mean and sample standard deviation over the runs; None when undefined for any of them."""
        from radvqa.scoring.statistics import over_seeds

        values = [run.value(subset, metric) for run in self.runs]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        summary = over_seeds(known)
        return None if summary.sd is None else (summary.mean, summary.sd)


def load(folders: Sequence[Path], data: str | None = None, split: str | None = None) -> list[Scored]:
    """Read runs with their scores.

    Args:
        folders: the run folders.
        data: data set to read the scores of; by default each run's own.
        split: split to read the scores of; by default each run's own test split.

    Raises:
        RunError: when no run is given, one is given twice, is unfinished, or is not scored.
    """
    if not folders:
        raise RunError("No run was given.")
    names = _names(folders)
    loaded = []
    for folder, name in zip(folders, names, strict=True):
        run = Run(folder)
        run.require_finished()
        answers = run.answers(data, split)
        scores = run.scores(answers)
        if "subsets" not in scores or "overall" not in scores["subsets"]:
            raise RunError(f"{folder} has scores without an overall subset; run `radvqa score` again.")
        loaded.append(Scored(name, run, answers, scores, run.recipe, run.facts, run.provenance, run.history))
    return loaded


def _names(folders: Sequence[Path]) -> list[str]:
    whole = [Path(folder).resolve() for folder in folders]
    for folder in whole:
        if whole.count(folder) > 1:
            raise RunError(f"The run {folder.name} is given twice.")
    short = [folder.name for folder in whole]
    return [folder.name if short.count(folder.name) == 1 else f"{folder.parent.name}/{folder.name}" for folder in whole]


def by_dataset(runs: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Sort runs by the data set that they are scored on, in the order given."""
    sorted_out: dict[str, list[Scored]] = {}
    for run in runs:
        sorted_out.setdefault(run.answers.dataset, []).append(run)
    return sorted_out


def require_same_test(runs: Sequence[Scored]) -> None:
    """Refuse to lay scores of different tests side by side.

    Raises:
        RunError: when data set, split, normaliser or the number of questions differ; the message says which.
    """
    first = runs[0]
    for key, what in (
        ("dataset", "data set"),
        ("split", "split"),
        ("normaliser", "normaliser"),
        ("questions", "number of questions"),
    ):
        for run in runs[1:]:
            if run.scores.get(key) != first.scores.get(key):
                raise RunError(
                    f"{first.name} and {run.name} cannot share a table, their {what} differs: "
                    f"{first.scores.get(key)} and {run.scores.get(key)}."
                )


def groups(runs: Sequence[Scored]) -> list[Group]:
    """Gather runs whose recipes differ in the seed alone, in the order of their first run."""
    gathered: dict[str, list[Scored]] = {}
    for run in runs:
        gathered.setdefault(run.without_seed, []).append(run)
    shared = [str(members[0].recipe.get("name")) for members in gathered.values() if len(members) > 1]
    found = []
    for members in gathered.values():
        label = members[0].name
        if len(members) > 1:
            members = sorted(members, key=lambda run: (str(type(run.seed)), run.seed or 0))
            label = str(members[0].recipe.get("name") or members[0].name)
            if shared.count(label) > 1:  # two groups of one name: say which runs are meant
                label = f"{label} ({', '.join(member.name for member in members)})"
        found.append(Group(label, tuple(members)))
    return found


def differences(runs: Sequence[Scored]) -> list[str]:
    """Say what makes a comparison of these runs unequal: epochs, data or selection metric; empty when equal."""
    aspects: dict[str, Callable[[Scored], Any]] = {
        "epochs": lambda run: run.recipe.get("training", {}).get("epochs"),
        "training split": lambda run: run.recipe.get("data", {}).get("train"),
        "training data set": lambda run: run.recipe.get("data", {}).get("name"),
        "data fingerprint": lambda run: _short(run.provenance.get("data", {}).get("fingerprint")),
        "selection metric": lambda run: run.select_by,
    }
    found = []
    for what, read in aspects.items():
        values: dict[str, list[str]] = {}
        for run in runs:
            values.setdefault(str(read(run)), []).append(run.name)
        if len(values) > 1:
            listed = "; ".join(f"{value} ({', '.join(names)})" for value, names in values.items())
            found.append(f"Not an equal comparison: different {what}, {listed}.")
    return found


def _short(fingerprint: Any) -> str:
    return json.dumps(fingerprint, sort_keys=True, default=str).strip('"')[:12]
