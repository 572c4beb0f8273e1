"""Runs scored on one test, side by side, with the paired differences between them: what every page is made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radvqa.report.numbers import without_folders
from radvqa.report.paired import Paired, compare_answers
from radvqa.report.scored import SUBSETS, Group, Scored, by_dataset, differences, groups, load, require_same_test

LOOKUP = "question_lookup"


@dataclass(frozen=True)
class Comparison:
    """One or more runs with scores on the same questions.

    Attributes:
        runs: the runs, in the order given.
        groups: the same runs, those together that differ in the seed alone.
        paired: every later run against the first.
        against_lookup: run name → its difference to the question lookup; without runs that have no such baseline.
        notes: what makes the comparison unequal or incomplete.
    """

    runs: tuple[Scored, ...]
    groups: tuple[Group, ...]
    paired: tuple[Paired, ...]
    against_lookup: dict[str, Paired]
    notes: tuple[str, ...]

    @property
    def scores(self) -> dict[str, Any]:
        """The first run's scores, for what all of them share."""
        return self.runs[0].scores

    @property
    def test(self) -> str:
        """Data set and split in words."""
        return f"{self.scores['dataset']}, {self.scores['split']} split"

    def as_json(self) -> dict[str, Any]:
        """Return plain values, without any path of this machine."""
        first = self.scores
        shared = {
            key: first.get(key)
            for key in ("dataset", "split", "normaliser", "questions", "clusters", "clustered_by", "interval")
        }
        return {
            **shared,
            "runs": [_run_json(run) for run in self.runs],
            "groups": [_group_json(group) for group in self.groups if len(group.runs) > 1],
            "baselines": first.get("baselines", {}),
            "published": first.get("published", []),
            "paired": [pair.as_json() for pair in self.paired],
            "against_question_lookup": {name: pair.as_json() for name, pair in self.against_lookup.items()},
            "notes": list(self.notes),
        }


def compare_runs(folders: Sequence[Path], *, data: str | None = None, split: str | None = None) -> list[Comparison]:
    """Read runs and lay those on the same data set side by side, one comparison for each data set.

    Args:
        folders: the run folders.
        data: data set to compare on; by default each run's own.
        split: split to compare on; by default each run's own test split.

    Raises:
        RunError: when a run cannot be read or is not scored, or runs on one data set were scored on different
            splits or with different normalisers.
    """
    return [_comparison(runs) for runs in by_dataset(load(folders, data, split)).values()]


def _comparison(runs: list[Scored]) -> Comparison:
    require_same_test(runs)
    notes = differences(runs)
    paired = []
    for run in runs[1:]:
        pair = _pair(run, runs[0])
        if pair is None:
            notes.append(f"{run.name} and {runs[0].name} did not answer the same questions, so no paired difference.")
        else:
            paired.append(pair)
    lookup = {run.name: pair for run in runs if (pair := _pair_lookup(run)) is not None}
    return Comparison(tuple(runs), tuple(groups(runs)), tuple(paired), lookup, tuple(notes))


def _pair(run: Scored, first: Scored) -> Paired | None:
    asked = {p.id: (p.question, p.answer) for p in run.predictions.values()}
    if asked != {p.id: (p.question, p.answer) for p in first.predictions.values()}:
        return None
    gold = list(first.predictions.values())
    return compare_answers(run.name, run.sheet, first.name, first.sheet, gold, first.scores["normaliser"])


def _pair_lookup(run: Scored) -> Paired | None:
    answers = run.baselines.get(LOOKUP)
    if answers is None:
        return None
    gold = list(run.predictions.values())
    return compare_answers(run.name, run.sheet, "the question lookup", answers, gold, run.scores["normaliser"])


def _run_json(run: Scored) -> dict[str, Any]:
    training = run.recipe.get("training", {})
    return {
        "name": run.name,
        "recipe": run.recipe.get("name"),
        "seed": run.seed,
        "subsets": run.scores["subsets"],
        "question_types": run.scores.get("question_types", {}),
        "unseen_answers": run.scores.get("unseen_answers"),
        "twins": run.scores.get("twins"),
        "undefined": run.scores.get("undefined", {}),
        "budget": {
            "epochs": training.get("epochs"),
            "best_epoch": run.facts.get("best_epoch"),
            "select_by": run.select_by,
            "parameters": run.facts.get("parameters"),
            "seconds": run.facts.get("seconds"),
            "device": without_folders(run.provenance.get("device")),
        },
    }


def _group_json(group: Group) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for subset in SUBSETS:
        for metric in ("accuracy", "exact_match", "top5", "macro_f1", "token_f1"):
            found = group.mean_sd(subset, metric)
            values.setdefault(subset, {})[metric] = None if found is None else {"mean": found[0], "sd": found[1]}
    return {
        "label": group.label,
        "runs": [run.name for run in group.runs],
        "seeds": [run.seed for run in group.runs],
        "subsets": values,
    }
