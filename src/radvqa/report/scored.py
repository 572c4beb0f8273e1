"""A run, or any predictions file, with its scores on one data set and split; and runs that differ in the seed alone."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.errors import RunError
from radvqa.prediction import Prediction
from radvqa.report.beside import beside
from radvqa.report.judged import judged
from radvqa.run import Answers, Run

SUBSETS = ("overall", "open", "closed")
SCORES_FORMAT = 2


@dataclass(frozen=True)
class Scored:
    """Answers to one data set and split, and what scoring found.

    Attributes:
        name: the folder's or file's name, made longer by its parent's where two share it.
        answers: which data set and split.
        scores: the content of ``scores.json``.
        run: the run folder; None for a predictions file.
        recipe: the resolved recipe; empty for a file.
        facts: the content of ``run.json``; empty for a file.
        provenance: the content of ``provenance.json``; empty for a file.
        history: one mapping per look at the selection split; empty for a file.
        given: the answers of a file; None for a run, whose answers are read when they are needed.
        notes: what reading a file had to assume.
    """

    name: str
    answers: Answers
    scores: dict[str, Any]
    run: Run | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    given: tuple[Prediction, ...] | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def from_run(cls, run: Run, answers: Answers, scores: dict[str, Any], name: str = "") -> "Scored":
        """Lay a run's scores beside what the run folder tells of it."""
        return cls(name or run.name, answers, scores, run, run.recipe, run.facts, run.provenance, run.history)

    @classmethod
    def from_predictions(
        cls,
        name: str,
        predictions: Sequence[Prediction],
        answers: Answers,
        notes: Sequence[str] = (),
        normaliser: str | None = None,
    ) -> "Scored":
        """Score answers of which nothing is known but what they are.

        Raises:
            DataError: as ``scorer.score``.
        """
        from radvqa.scoring.scorer import score

        scores = score(predictions, dataset=answers.dataset, split=answers.split, normaliser=normaliser)
        return cls(name, answers, scores, given=tuple(predictions), notes=tuple(notes))

    @property
    def seed(self) -> Any:
        """The recipe's seed; None when it has none."""
        return self.recipe.get("training", {}).get("seed")

    @property
    def without_seed(self) -> str:
        """What the run was made from, the seed left out: equal for runs that differ in the seed alone."""
        if not self.recipe:
            return f"the file {self.name}"
        training = {key: value for key, value in self.recipe.get("training", {}).items() if key != "seed"}
        return json.dumps({**self.recipe, "training": training}, sort_keys=True, default=str)

    @property
    def title(self) -> str:
        """The recipe's title, else its name, else the run's name."""
        return str(self.recipe.get("title") or self.recipe.get("name") or self.name)

    @property
    def stages(self) -> list[dict[str, Any]]:
        """The stages of a curriculum as the recipe says, every key filled in; empty for a run without."""
        return list(self.recipe.get("stages") or [])

    @property
    def members(self) -> list[str]:
        """Recipes of the runs whose answers an ensemble joins; empty for any other run."""
        found = self.recipe.get("model", {}).get("members")  # of co-attention it is a number, of nets
        return [str(member["recipe"]) for member in found] if isinstance(found, list) else []

    @property
    def select_by(self) -> str | None:
        """The metric that chose the checkpoint: in a curriculum that of the last stage."""
        plan = self.stages[-1] if self.stages else self.recipe.get("training", {})
        named = plan.get("select_by") or self.facts.get("selected", {}).get("metric")
        return None if named is None else str(named)

    @property
    def parts(self) -> dict[str, Any]:
        """Parameters of each part of the model; empty for runs of older versions."""
        found: dict[str, Any] = ((self.facts.get("cost") or {}).get("parameters") or {}).get("by_part") or {}
        return found

    @cached_property
    def log(self) -> list[dict[str, Any]]:
        """The rows of the step log; empty for runs of older versions and for predictions files."""
        path = self.run.folder / "log" / "steps.jsonl" if self.run else None
        return list(files.read_jsonl(path)) if path is not None and path.is_file() else []

    @property
    def answering(self) -> dict[str, Any]:
        """What answering this split took: ``seconds_per_question``, ``questions``, ``device``; empty when unknown."""
        found: dict[str, Any] = self.facts.get("answering", {}).get(f"{self.answers.dataset} {self.answers.split}", {})
        return found

    @cached_property
    def predictions(self) -> dict[str, Prediction]:
        """The answers by sample id."""
        given = self.run.predictions(self.answers) if self.given is None and self.run else self.given or ()
        return {p.id: p for p in given}

    @cached_property
    def right(self) -> dict[str, bool]:
        """Sample id → whether the answer counts as right in the accuracy."""
        return judged(self.predictions.values(), self.scores["normaliser"])

    @cached_property
    def baselines(self) -> dict[str, dict[str, str]]:
        """The trivial baselines' answers: name → sample id → answer."""
        return self.run.baselines(self.answers) if self.run else {}

    @cached_property
    def probes(self) -> dict[str, Any] | None:
        """What ``radvqa probe`` found; None when it was not run on this data set and split."""
        path = self.run.folder / self.answers.file("probes", "json") if self.run else None
        if path is None or not path.is_file():
            return None
        found = files.read_json(path)
        if not isinstance(found, dict):
            raise RunError(f"{path} is not a JSON object; run `radvqa probe` again.")
        return found

    @cached_property
    def diagnosis(self) -> dict[str, Any] | None:
        """What ``radvqa diagnose`` found; None when it was not run on this data set and split."""
        path = self.run.folder / self.answers.file("diagnosis", "json") if self.run else None
        if path is None or not path.is_file():
            return None
        found = files.read_json(path)
        if not isinstance(found, dict) or "groups" not in found:
            raise RunError(f"{path} is not a diagnosis; run `radvqa diagnose` again.")
        return found

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

    @property
    def heading(self) -> str:
        """The label for a column: with the number of seeds where there are several."""
        return self.label if len(self.runs) == 1 else f"{self.label}, mean ± sd ({self.size})"

    def mean_sd(self, subset: str, metric: str) -> tuple[float, float] | None:
        """Return mean and sample standard deviation over the runs; None when undefined for any of them."""
        return self.spread([run.value(subset, metric) for run in self.runs])

    def spread(self, values: Sequence[float | None]) -> tuple[float, float] | None:
        """Return mean and sample standard deviation of one value of each run; None for one run or an unknown value."""
        from radvqa.scoring.statistics import over_seeds

        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        summary = over_seeds(known)
        return None if summary.sd is None else (summary.mean, summary.sd)


def load(paths: Sequence[Path], data: str | None = None, split: str | None = None) -> list[Scored]:
    """Read runs with their scores, and score predictions files.

    Args:
        paths: run folders and predictions files.
        data: data set to read the scores of; by default each run's own.
        split: split to read the scores of; by default each run's own test split.

    Raises:
        RunError: when nothing is given, one is given twice, a run is unfinished or is not scored.
        DataError: when a predictions file cannot be read.
    """
    if not paths:
        raise RunError("No run was given.")
    named = {name: Path(path) for name, path in zip(_names(paths), paths, strict=True)}
    runs = {name: _run(name, path, data, split) for name, path in named.items() if not path.is_file()}
    return [runs[name] if name in runs else _file(name, path, runs, data, split) for name, path in named.items()]


def _run(name: str, folder: Path, data: str | None, split: str | None) -> Scored:
    run = Run(folder)
    run.require_finished()
    answers = run.answers(data, split)
    scores = run.scores(answers)
    if scores.get("format") != SCORES_FORMAT or "overall" not in scores.get("subsets", {}):
        raise RunError(f"{folder} has scores of another version; run `radvqa score {folder}` again.")
    return Scored.from_run(run, answers, scores, name)


def _file(name: str, path: Path, runs: dict[str, Scored], data: str | None, split: str | None) -> Scored:
    """Read and score a file; where it answers the questions of a run, the run says what these are about."""
    for run in runs.values():
        found = beside(path, list(run.predictions.values()))
        if found is not None:
            where = Answers(run.answers.dataset, run.answers.split)
            return Scored.from_predictions(name, found[0], where, found[1], run.scores["normaliser"])
    from radvqa.prediction_files import read

    alone = read(path)
    return Scored.from_predictions(name, alone.predictions, Answers(data or "", split or ""), alone.notes)


def _names(paths: Sequence[Path]) -> list[str]:
    whole = [Path(path).resolve() for path in paths]
    for path in whole:
        if whole.count(path) > 1:
            raise RunError(f"The run {path.name} is given twice.")
    names = [path.stem if path.is_file() else path.name for path in whole]
    if len(set(names)) < len(names):
        names = [n if names.count(n) == 1 else f"{p.parent.name}/{p.name}" for n, p in zip(names, whole, strict=True)]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


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
    """Say what makes a comparison of these runs unequal: length, data or selection metric; empty when equal.

    Predictions files say nothing of how they were made; that is said once.
    """
    trained = [run for run in runs if run.recipe]
    in_epochs = all(not run.stages and run.recipe.get("training", {}).get("epochs") is not None for run in trained)
    found = _different("epochs" if in_epochs else "length", trained, lambda run: _length(run, in_epochs))
    data = [
        *_different("training split", trained, lambda run: " and ".join(_sources(run, "split"))),
        *_different("training data set", trained, lambda run: " and ".join(_sources(run, "name"))),
    ]
    # what other names say already needs no fingerprint
    found += data or _different("data fingerprint", [run for run in trained if _fingerprint(run)], _fingerprint)
    found += _different("selection metric", trained, lambda run: run.select_by)
    unknown = [run.name for run in runs if not run.recipe]
    if unknown and len(runs) > 1:
        found.append(f"How {', '.join(unknown)} was trained is not known, so the budgets cannot be compared.")
    return found


def _different(what: str, runs: Sequence[Scored], read: Callable[[Scored], Any]) -> list[str]:
    values: dict[str, list[Scored]] = {}
    for run in runs:
        values.setdefault(str(read(run)), []).append(run)
    if len(values) < 2:
        return []
    listed = "; ".join(f"{value} ({', '.join(_called(same))})" for value, same in values.items())
    return [f"Not an equal comparison: different {what}, {listed}."]


def _length(run: Scored, in_epochs: bool) -> str:
    """Say how long a training was."""
    training = run.recipe.get("training", {})
    if run.members:
        return "that of its members"
    if in_epochs:
        return str(training["epochs"])
    if run.stages:
        steps = sum(stage["steps"] for stage in run.facts.get("stages") or [])
        return f"{steps:,} steps in {len(run.stages)} stages"
    key = next((key for key in ("epochs", "steps", "tokens") if training.get(key) is not None), None)
    return "unknown" if key is None else f"{training[key]:,} {key}"


def _sources(run: Scored, key: str) -> list[str]:
    """Return names or splits of what a run learned from, each once."""
    data = run.recipe.get("data", {})
    own = {"name": data.get("name"), "split": data.get("train")}
    given = [source for stage in run.stages for source in stage.get("data") or [own]] or [own]
    return list(dict.fromkeys(str(source.get(key)) for source in given))


def _fingerprint(run: Scored) -> str:
    """Return what tells the samples that were learned from from others; empty when that is not known."""
    data = run.provenance.get("data", {})
    if data.get("fingerprint"):
        return _short(data["fingerprint"])
    learned = {name: facts for name, facts in data.items() if isinstance(facts, dict) and not name.endswith("select")}
    return ", ".join(dict.fromkeys(_short(facts.get("digest")) for facts in learned.values()))


def _called(runs: Sequence[Scored]) -> list[str]:
    """Name runs, those of one recipe together."""
    return [group.label for group in groups(runs)]


def _short(fingerprint: Any) -> str:
    return json.dumps(fingerprint, sort_keys=True, default=str).strip('"')[:12]
