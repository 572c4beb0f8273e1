"""The run folder: the one hand-over between commands. Every later command reads it and nothing else.

::

    RUN/
      run.json             what kind of run it is, its state, and what it measured while it ran
      recipe.yaml          the resolved recipe
      doctor.json          what the examination before the training found
      provenance.json      data fingerprints, versions, git commit, seed, hardware
      history.jsonl        one line per look at the selection split
      log/                 steps.jsonl and steps.csv (one row every few steps), and what trackers wrote
      checkpoints/         model.json (what to build) and best/last.safetensors (trained weights); in a curriculum
                           stages/NUMBER-NAME.safetensors; while it trains resume/ (the last two snapshots)
      predictions.jsonl    answers on the test split; other splits as predictions-DATASET-SPLIT.jsonl
      baselines.jsonl      answers of the trivial baselines to the same questions
      scores.json          what ``radvqa score`` found
      examples/            a few pictures of the predicted split, for reports
      thumbnails/          every picture of the predicted split, small, for reports
      figures/             PNG
      README.md            the model card
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from radvqa import files
from radvqa.errors import DataError, RunError
from radvqa.prediction import Prediction, read_predictions, write_predictions

FORMAT = 1
ENSEMBLE = "ensemble"
"""Family of a run that holds the joint answers of other runs, and no weights."""
_LOCK = ".lock"
_NO_MATTER = ("title", "notes", "reproduces", "training.checkpoint_seconds", "training.trackers")
"""Keys of a recipe that do not change what a training comes to."""


@dataclass(frozen=True)
class Answers:
    """Which predictions of a run: a data set and split, and the files that hold them.

    Attributes:
        dataset: ``name:version``.
        split: the split's name.
        suffix: empty for the recipe's own test split, else ``-DATASET-SPLIT``.
    """

    dataset: str
    split: str
    suffix: str = ""

    def file(self, stem: str, ending: str) -> str:
        """Name the file of one kind, for instance ``predictions.jsonl``."""
        return f"{stem}{self.suffix}.{ending}"


class Run:
    """A run folder, read and written by name.

    Args:
        folder: the folder; it must hold ``run.json``. Use ``Run.create`` for a new one.

    Raises:
        RunError: when the folder is no run folder or was made by a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        if not (self.folder / "run.json").is_file():
            raise RunError(f"{folder} is not a run folder (it has no run.json); `radvqa train RECIPE` makes one.")
        if self.facts.get("format") != FORMAT:
            raise RunError(f"{folder} has format {self.facts.get('format')}; this version reads format {FORMAT}.")

    @classmethod
    def create(cls, folder: Path, recipe: Mapping[str, Any], provenance: Mapping[str, Any]) -> "Run":
        """Make a run folder in state ``training``.

        Raises:
            RunError: when the folder holds a run, or files that are no run.
        """
        if (folder / "run.json").is_file():
            raise RunError(f"{folder} holds a run; choose another --out, or start it over with --force-new.")
        if folder.is_dir() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
            raise RunError(f"{folder} exists and is not a run folder; choose another --out.")
        # run.json is first, so that a folder left by a kill is known as an unfinished run; the recipe is last, so that
        # a run that has one is whole
        files.write_json(folder / "run.json", {"format": FORMAT, "state": "training", "started": _now()})
        files.write_json(folder / "provenance.json", provenance)
        files.write_text(folder / "recipe.yaml", yaml.safe_dump(dict(recipe), sort_keys=False, allow_unicode=True))
        return cls(folder)

    @classmethod
    def take_up(cls, folder: Path, recipe: Mapping[str, Any], provenance: Mapping[str, Any]) -> "Run":
        """Return the run that a folder holds, to go on with, or make a new one.

        A run that was killed or refused before anything was learned is made anew.

        Raises:
            RunError: when the folder holds a run of another recipe or other data (names what differs), or files that
                are no run.
        """
        if not (folder / "run.json").is_file():
            for torn in folder.glob(".run.json.*.part"):  # killed while the first file was written
                torn.unlink()
            return cls.create(folder, recipe, provenance)
        files.sweep(folder)
        run = cls(folder)
        if not run.finished and not run.checkpoints.exists():
            for name in ("recipe.yaml", "doctor.json", "provenance.json", "run.json"):  # known as a run to the last
                (folder / name).unlink(missing_ok=True)
            return cls.create(folder, recipe, provenance)
        odd = differing(run.recipe, recipe)
        if odd:
            raise RunError(
                f"{folder} was begun with another recipe: {'; '.join(odd)}. Go on with the same one, choose another "
                f"--out, or start over with --force-new."
            )
        then, now = run.provenance.get("data", {}), provenance["data"]
        changed = [name for name in {**then, **now} if then.get(name) != now.get(name)]
        if changed:
            raise RunError(
                f"{folder} was begun with other data: {', '.join(changed)} changed since. Bring the data back, or "
                f"start over with --force-new."
            )
        return run

    @staticmethod
    def set_aside(folder: Path) -> Path | None:
        """Move what a folder holds into one beside it, so that a run can be started over and nothing is lost.

        Returns:
            the folder that holds it now; None when there was nothing.
        """
        held = [entry for entry in folder.iterdir() if entry.name != _LOCK] if folder.is_dir() else []
        if not held:
            return None
        number = 1
        while (aside := folder.with_name(f"{folder.name}-before-{number}")).exists():
            number += 1
        aside.mkdir()
        for entry in sorted(held, key=lambda entry: entry.name != "run.json"):  # half moved it is no run any more
            entry.rename(aside / entry.name)
        return aside

    @classmethod
    @contextmanager
    def held(cls, folder: Path, seconds: float = 0.0) -> Iterator[None]:
        """Hold a run folder for writing.

        Args:
            folder: of the run.
            seconds: to wait for another process.

        Raises:
            RadvqaError: when another process holds it.
        """
        with files.locked(folder / _LOCK, what=f"The run folder {folder}", wait=seconds):
            yield

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def facts(self) -> dict[str, Any]:
        """The content of ``run.json``."""
        facts = files.read_json(self.folder / "run.json")
        if not isinstance(facts, dict):
            raise RunError(f"{self.folder / 'run.json'} is not a JSON object.")
        return facts

    @property
    def finished(self) -> bool:
        """Whether training came to its end."""
        return self.facts.get("state") == "finished"

    def finish(self, measured: Mapping[str, Any]) -> None:
        """Mark the run as finished; everything else must be on disk before."""
        files.write_json(self.folder / "run.json", {**self.facts, "state": "finished", "ended": _now(), **measured})

    def note(self, key: str, facts: Mapping[str, Any]) -> None:
        """Add what a later command measured to ``run.json``, beside what was already there under the same key."""
        known = self.facts
        files.write_json(self.folder / "run.json", {**known, key: {**known.get(key, {}), **facts}})

    def require_finished(self) -> None:
        """Refuse to build on a run that was interrupted.

        Raises:
            RunError: when training did not come to its end.
        """
        if not self.finished:
            raise RunError(f"{self.folder} was not trained to its end; run `radvqa train` with the same --out again.")

    @property
    def has_model(self) -> bool:
        """Whether there is a model to ask; an ensemble holds answers alone."""
        return bool(self.recipe.get("model", {}).get("family") != ENSEMBLE)

    def require_model(self) -> None:
        """Refuse to ask a run that was interrupted or has no model of its own.

        Raises:
            RunError: says which of the two it is, and what to do.
        """
        self.require_finished()
        if not self.has_model:
            raise RunError(
                f"{self.folder} is an ensemble: it holds answers and no model. Ask its members, and join what they "
                f"answer with `radvqa ensemble`."
            )

    @property
    def recipe(self) -> dict[str, Any]:
        """The resolved recipe as plain values."""
        recipe = yaml.safe_load(files.read_text(self.folder / "recipe.yaml"))
        if not isinstance(recipe, dict):
            raise RunError(f"{self.folder / 'recipe.yaml'} is not a YAML mapping.")
        return recipe

    @property
    def provenance(self) -> dict[str, Any]:
        """The content of ``provenance.json``."""
        provenance: dict[str, Any] = files.read_json(self.folder / "provenance.json")
        return provenance

    @property
    def history(self) -> list[dict[str, Any]]:
        """One mapping per look: ``stage``, ``step``, ``epoch``, ``train_loss``, ``val_loss``, ``val_accuracy`` …."""
        path = self.folder / "history.jsonl"
        return list(files.read_jsonl(path)) if path.is_file() else []

    def write_history(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Replace the history."""
        files.write_jsonl(self.folder / "history.jsonl", history)

    @property
    def checkpoints(self) -> Path:
        """The folder of the trained weights."""
        return self.folder / "checkpoints"

    @property
    def examples(self) -> Path:
        """The folder of example pictures; ``examples.json`` in it maps sample id to file name."""
        return self.folder / "examples"

    def thumbnails(self, answers: Answers) -> Path:
        """The folder of small pictures; ``index.json`` in it maps image name to file name."""
        return self.folder / f"thumbnails{answers.suffix}"

    @property
    def figures(self) -> Path:
        """The folder of figures."""
        return self.folder / "figures"

    def answers(self, dataset: str | None = None, split: str | None = None) -> Answers:
        """Name the predictions of a data set and split; by default of the recipe's own test split."""
        own_dataset, own_split = self.recipe["data"]["name"], self.recipe["data"]["test"]
        dataset, split = dataset or own_dataset, split or own_split
        if (dataset, split) == (own_dataset, own_split):
            return Answers(dataset, split)
        part = Path(split).stem if split.endswith(".json") else split  # a split file is named, not its folder
        return Answers(dataset, split, "-" + re.sub(r"[^A-Za-z0-9_.-]+", "_", f"{dataset}-{part}"))

    def write_answers(
        self,
        answers: Answers,
        predictions: Sequence[Prediction],
        baselines: Mapping[str, Sequence[Prediction]],
    ) -> None:
        """Write predictions and what the trivial baselines answer to the same questions; drops an older score."""
        (self.folder / answers.file("scores", "json")).unlink(missing_ok=True)
        (self.folder / answers.file("predictions", "jsonl")).unlink(missing_ok=True)
        rows = {p.id: {"id": p.id} for p in predictions}
        for name, answered in baselines.items():
            for prediction in answered:
                rows[prediction.id][name] = prediction.prediction
        files.write_jsonl(self.folder / answers.file("baselines", "jsonl"), rows.values())
        write_predictions(self.folder / answers.file("predictions", "jsonl"), predictions)

    def predictions(self, answers: Answers) -> list[Prediction]:
        """Read predictions.

        Raises:
            RunError: when the run has none for this data set and split.
        """
        path = self.folder / answers.file("predictions", "jsonl")
        if not path.is_file():
            raise RunError(
                f"{self.folder} has no predictions on {answers.dataset} {answers.split}; "
                f"`radvqa predict {self.folder}` makes them."
            )
        return read_predictions(path)

    def baselines(self, answers: Answers) -> dict[str, dict[str, str]]:
        """Read the trivial baselines' answers: baseline name → sample id → answer; empty when there are none."""
        path = self.folder / answers.file("baselines", "jsonl")
        answered: dict[str, dict[str, str]] = {}
        for row in files.read_jsonl(path) if path.is_file() else ():
            for name, answer in row.items():
                if name != "id":
                    answered.setdefault(name, {})[row["id"]] = answer
        return answered

    def scores(self, answers: Answers) -> dict[str, Any]:
        """Read scores.

        Raises:
            RunError: when the run was not scored on this data set and split.
        """
        path = self.folder / answers.file("scores", "json")
        if not path.is_file():
            raise RunError(f"{self.folder} is not scored on {answers.dataset} {answers.split}; `radvqa score` does it.")
        scores = files.read_json(path)
        if not isinstance(scores, dict):
            raise DataError(f"{path} is not a JSON object.")
        return scores

    def write_scores(self, answers: Answers, scores: Mapping[str, Any]) -> None:
        """Write scores."""
        files.write_json(self.folder / answers.file("scores", "json"), scores)


def differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say which keys of two recipes differ, as ``training.epochs (was 5, is 10)``; keys that do not matter are left."""
    before, now = _flat(old), _flat(new)
    keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    wanted = [key for key in keys if not key.startswith(_NO_MATTER)]
    return [f"{key} (was {before.get(key)!r}, is {now.get(key)!r})" for key in wanted]


def _flat(values: Any, place: str = "") -> dict[str, Any]:
    if isinstance(values, Mapping) and values:
        return {key: leaf for name, value in values.items() for key, leaf in _flat(value, f"{place}.{name}").items()}
    if isinstance(values, list | tuple) and values:
        return {key: leaf for n, value in enumerate(values, 1) for key, leaf in _flat(value, f"{place}.{n}").items()}
    return {place.removeprefix("."): values}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
