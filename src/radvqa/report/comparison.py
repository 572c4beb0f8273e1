"""Answers to one test, side by side, with the paired differences between them: what every page is made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radvqa.report.costs import cost_of, parameters
from radvqa.report.judged import judged
from radvqa.report.numbers import without_folders
from radvqa.report.paired import Paired, compare_groups, compare_rights
from radvqa.report.scored import SUBSETS, Group, Scored, by_dataset, differences, groups, load, require_same_test

LOOKUP = "question_lookup"


@dataclass(frozen=True)
class Comparison:
    """One or more runs or predictions files with scores on the same questions.

    Attributes:
        runs: the runs and files, in the order given.
        groups: the same runs, those together that differ in the seed alone.
        paired: every later group against the first.
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
        return _test(self.scores)

    @property
    def firsts(self) -> list[Scored]:
        """The first run of each group."""
        return [group.runs[0] for group in self.groups]

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


def _test(scores: dict[str, Any]) -> str:
    named = [scores.get("dataset") or "", f"{scores['split']} split" if scores.get("split") else ""]
    return ", ".join(part for part in named if part) or "predictions file"


def compare_runs(paths: Sequence[Path], *, data: str | None = None, split: str | None = None) -> list[Comparison]:
    """Read runs and predictions files and lay those on the same data set side by side, one comparison for each.

    Args:
        paths: run folders and predictions files.
        data: data set to compare on; by default each run's own.
        split: split to compare on; by default each run's own test split.

    Raises:
        RunError: when a run cannot be read or is not scored, or runs on one data set were scored on different
            splits or with different normalisers.
        DataError: when a predictions file cannot be read.
    """
    return [_comparison(runs) for runs in by_dataset(load(paths, data, split)).values()]


def _comparison(runs: list[Scored]) -> Comparison:
    require_same_test(runs)
    members = groups(runs)
    paired, unpaired = compare_groups(members)
    lookup = {run.name: pair for run in runs if (pair := _pair_lookup(run)) is not None}
    return Comparison(tuple(runs), tuple(members), tuple(paired), lookup, (*differences(runs), *unpaired))


def _pair_lookup(run: Scored) -> Paired | None:
    answers = run.baselines.get(LOOKUP)
    if answers is None:
        return None
    rights = judged(run.predictions.values(), run.scores["normaliser"], answers)
    return compare_rights(run.name, [run.right], "the question lookup", [rights], run.predictions.values())


def _run_json(run: Scored) -> dict[str, Any]:
    training, scores = run.recipe.get("training", {}), run.scores
    kept = (
        "missing",
        "slices",
        "rules",
        "calibration",
        "multiple_choice",
        "consistency",
        "similarity",
        "unseen_answers",
        "twins",
        "undefined",
    )
    return {
        "name": run.name,
        "recipe": run.recipe.get("name"),
        "seed": run.seed,
        "subsets": scores["subsets"],
        **{key: scores.get(key) for key in kept},
        "judge": _without_items(scores.get("judge")),
        "budget": {
            "epochs": training.get("epochs"),
            "best_epoch": run.facts.get("best_epoch"),
            "select_by": run.select_by,
            "parameters": parameters(run) or None,
            "seconds": run.facts.get("seconds"),
            "seconds_per_question": run.answering.get("seconds_per_question"),
            "device": without_folders(run.provenance.get("device")),
        },
        "cost": cost_of(run) or None,
    }


def _without_items(judge: dict[str, Any] | None) -> dict[str, Any] | None:
    """Leave the verdict on every single question in the run's own scores."""
    return None if judge is None else {key: value for key, value in judge.items() if key != "items"}


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
