"""From predictions to everything that a report says about them; the result is plain JSON without NaN.

Values are fractions in [0, 1]; what cannot be computed is null, with the reason under ``undefined``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from radvqa.errors import DataError, nearest
from radvqa.prediction import Prediction
from radvqa.scoring.baselines import ECHO
from radvqa.scoring.calibration import score_calibration
from radvqa.scoring.items import Items, in_order, items_of, subset_rows
from radvqa.scoring.metric import METRICS, Undefined
from radvqa.scoring.multiple_choice import score_multiple_choice
from radvqa.scoring.paired import detectable_difference
from radvqa.scoring.published import as_json, rows_for
from radvqa.scoring.rule import RULES
from radvqa.scoring.ruled import ruled
from radvqa.scoring.slices import slice_rows
from radvqa.scoring.statistics import (
    RESAMPLES,
    IntArray,
    Mean,
    Statistic,
    Within,
    cluster_intervals,
    clustered_standard_error,
    value,
)
from radvqa.scoring.twins import score_twins
from radvqa.text import NORMALISERS, normaliser_for

FORMAT = 2

_MODEL = ""  # the scored model among the answerers; the others are baselines
_NORMAL = 1.959964  # the normal distribution's 97.5 % quantile
_DIGITS = 6  # finer than one answer in a hundred thousand, and the same on every machine
_CLASSES = 2000  # gold answers listed one by one


def score(
    predictions: Sequence[Prediction],
    *,
    baselines: Mapping[str, Mapping[str, str]] | None = None,
    dataset: str = "",
    split: str = "",
    normaliser: str | None = None,
    rules: Iterable[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Score predictions under every metric and published rule.

    Args:
        predictions: of one model on one split; their order does not matter.
        baselines: baseline name → sample id → answer, as ``Run.baselines`` returns; they may answer more than is
            predicted, not less.
        dataset: ``name:version``, to find published results.
        split: the split's name.
        normaliser: name of the normaliser; by default the one that suits the predictions' language.
        rules: names of the published rules to apply; all by default.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        DataError: when there are no predictions, an id is repeated, a baseline lacks an answer, or the normaliser or
            a rule is unknown.
    """
    predictions = in_order(predictions)
    name = _normaliser_name(predictions, normaliser)
    applied = _rule_names(rules)
    items = items_of(predictions, NORMALISERS[name])
    answerers = {_MODEL: items} | {
        baseline: items_of(predictions, NORMALISERS[name], _answers(baseline, answers, predictions))
        for baseline, answers in {**(baselines or {}), **_echo(predictions)}.items()
    }
    subsets = subset_rows(items)
    slices = slice_rows(predictions, [items.texts[code] for code in items.gold])
    right = (items.gold == items.prediction).astype(np.float64)

    by_rule = {rule: ruled(rule, predictions, items) for rule in applied}

    board = _Board(items.cluster)
    for subset, rows in subsets.items():
        for answerer, everything in answerers.items():
            board.measure(("subset", answerer, subset), everything.take(rows), rows, baseline=answerer != _MODEL)
        for rule, values in by_rule.items():
            board.add(("rule", rule, subset, "value"), Mean(values[rows]), rows)
    for dimension, labels in slices.items():
        for label, rows in labels.items():
            board.add(("slice", dimension, label, "accuracy"), Mean(right[rows]), rows)
    board.draw(resamples, seed)

    measured = {subset: _subset(board, _MODEL, subset, right[rows], rows) for subset, rows in subsets.items()}
    twins = score_twins(predictions, NORMALISERS[name], resamples=resamples, seed=seed)
    choice = score_multiple_choice(predictions, resamples=resamples, seed=seed)
    return {
        "format": FORMAT,
        "dataset": dataset,
        "split": split,
        "normaliser": name,
        "questions": len(predictions),
        "missing": sum(p.missing for p in predictions),
        "clusters": measured["overall"]["clusters"],
        "clustered_by": _clustered_by(predictions),
        "interval": f"95 % cluster bootstrap, {resamples} resamples",
        "detectable_difference": round(detectable_difference(len(predictions)), _DIGITS),
        "subsets": measured,
        "slices": {
            dimension: {label: board.of(("slice", dimension, label)) for label in labels}
            for dimension, labels in slices.items()
        },
        "classes": _classes(predictions, items),
        "rules": {rule: {subset: board.of(("rule", rule, subset)) for subset in subsets} for rule in applied},
        "calibration": _plain(score_calibration(predictions, right)),
        "multiple_choice": _plain(choice),
        "consistency": None,
        "similarity": {},
        "judge": None,
        "baselines": {
            answerer: {subset: board.of(("subset", answerer, subset)) for subset in subsets}
            for answerer in answerers
            if answerer != _MODEL
        },
        "unseen_answers": _unseen(predictions),
        "twins": _plain(twins),
        "undefined": board.undefined,
        "notes": _notes(predictions, items, name),
        "published": [as_json(row) for row in rows_for(dataset, split, name)],
    }


class _Board:
    """Collects every statistic of every part, so that one bootstrap serves all of them."""

    def __init__(self, cluster: IntArray) -> None:
        self.cluster = cluster
        self.values: dict[tuple[str, ...], dict[str, Any]] = {}
        self.undefined: dict[str, str] = {}
        self._resampled: dict[tuple[str, ...], Statistic] = {}

    def measure(self, place: tuple[str, ...], items: Items, rows: IntArray, *, baseline: bool) -> None:
        """Compute every metric of some items; of a baseline only the accuracy gets an interval."""
        for name, metric in METRICS.items():
            if baseline and not metric.of_baselines:
                continue
            measured = metric.measure(items)
            if not isinstance(measured, Undefined):
                self.add((*place, name), measured, rows, interval=not baseline or name == "accuracy")
                continue
            self._part(place, rows)[name] = None
            if not baseline:
                self._part(place, rows)[f"{name}_interval"] = None
                if place[-1] == "overall":  # a smaller part often lacks what the whole has
                    self.undefined[name] = measured.reason

    def add(self, place: tuple[str, ...], statistic: Statistic, rows: IntArray, *, interval: bool = True) -> None:
        """Take in one statistic of the items at ``rows``; the last part of its place is its name."""
        *where, name = place
        part = self._part(tuple(where), rows)
        part[name] = value(statistic, len(rows))
        if isinstance(statistic, Mean) and (left := int(np.isnan(statistic.values).sum())):
            part[f"{name}_n"] = len(rows) - left
        if interval:
            part[f"{name}_interval"] = None
            self._resampled[place] = Within(statistic, rows)

    def _part(self, where: tuple[str, ...], rows: IntArray) -> dict[str, Any]:
        if where not in self.values:
            self.values[where] = {"n": len(rows), "clusters": len(np.unique(self.cluster[rows]))}
        return self.values[where]

    def draw(self, resamples: int, seed: int) -> None:
        """Compute the interval of everything that was added."""
        intervals = cluster_intervals(self._resampled, self.cluster, resamples=resamples, seed=seed)
        for (*where, name), interval in intervals.items():
            self.values[tuple(where)][f"{name}_interval"] = interval
            if interval is None and where[0] == "subset":
                self.undefined.setdefault("interval", "fewer than two clusters leave nothing to resample")

    def of(self, where: tuple[str, ...]) -> dict[str, Any]:
        """Return what was measured at a place, rounded."""
        rounded: dict[str, Any] = _plain(self.values[where])
        return rounded


def _subset(board: _Board, answerer: str, subset: str, right: Any, rows: IntArray) -> dict[str, Any]:
    """Return a subset's metrics, with the accuracy's clustered standard error beside its bootstrap interval."""
    measured = board.of(("subset", answerer, subset))
    error = clustered_standard_error(right, board.cluster[rows])
    mean = measured["accuracy"]
    limits = None if error is None else [max(0.0, mean - _NORMAL * error), min(1.0, mean + _NORMAL * error)]
    return {**measured, **_plain({"accuracy_standard_error": error, "accuracy_normal_interval": limits})}


def _normaliser_name(predictions: Sequence[Prediction], wanted: str | None) -> str:
    if wanted is None:
        return normaliser_for(p.language for p in predictions)
    if wanted not in NORMALISERS:
        raise DataError(f"There is no normaliser {wanted!r}; {nearest(wanted, list(NORMALISERS))}")
    return wanted


def _rule_names(wanted: Iterable[str] | None) -> list[str]:
    if wanted is None:
        return list(RULES)
    names = list(dict.fromkeys(wanted))
    for name in names:
        if name not in RULES:
            raise DataError(f"There is no scoring rule {name!r}; {nearest(name, list(RULES))}")
    return names


def _echo(predictions: Sequence[Prediction]) -> dict[str, dict[str, str]]:
    """Return the baseline that repeats the question, where questions are known."""
    return {ECHO: {p.id: p.question for p in predictions}} if any(p.question for p in predictions) else {}


def _answers(baseline: str, answers: Mapping[str, str], predictions: Sequence[Prediction]) -> list[str]:
    """Line a baseline's answers up with the predictions."""
    for prediction in predictions:
        if prediction.id not in answers:
            raise DataError(f"The baseline {baseline!r} has no answer to {prediction.id!r}; predict again.")
    return [answers[prediction.id] for prediction in predictions]


def _classes(predictions: Sequence[Prediction], items: Items) -> list[dict[str, Any]]:
    """Return each gold answer with its number of questions and hits, the most frequent first."""
    codes, inverse, many = np.unique(items.gold, return_inverse=True, return_counts=True)
    classes = [items.texts[code] for code in codes.tolist()]
    hits = np.bincount(inverse, items.gold == items.prediction)
    trained: dict[int, int | None] = {}
    for prediction, code in zip(predictions, inverse.tolist(), strict=True):
        trained.setdefault(code, prediction.answer_count)
    listed = sorted(range(len(classes)), key=lambda i: (-many[i], classes[i]))[:_CLASSES]
    return [
        {
            "answer": classes[i],
            "n": int(many[i]),
            "correct": int(hits[i]),
            "training_count": trained[i],
        }
        for i in listed
    ]


def _clustered_by(predictions: Sequence[Prediction]) -> str:
    units = {"case" if p.case else "image" if p.image else "question" for p in predictions}
    return " or ".join(sorted(units))


def _unseen(predictions: Sequence[Prediction]) -> dict[str, Any] | None:
    """Count gold answers that no training sample has: a classifier cannot give them; null when not known."""
    if any(p.answer_seen is None for p in predictions):
        return None
    unseen = [p.answer_type for p in predictions if not p.answer_seen]
    return {
        "overall": len(unseen),
        "open": unseen.count("OPEN"),
        "closed": unseen.count("CLOSED"),
        "ceiling": round(1 - len(unseen) / len(predictions), _DIGITS),
    }


def _notes(predictions: Sequence[Prediction], items: Items, normaliser: str) -> list[str]:
    """Say what a reader of the numbers must know and could not see."""
    notes = []
    missing = sum(p.missing for p in predictions)
    if missing:
        notes.append(f"{missing} of {len(predictions)} questions have no prediction; they count as wrong.")
    nameless = sum(not (p.image or p.case) for p in predictions)
    if nameless:
        notes.append(
            f"{nameless} predictions name no image, so each counts as independent; "
            f"the intervals are too narrow if they share images."
        )
    empty = sum(1 for code in items.gold if not items.texts[code])
    if empty:
        notes.append(
            f"{empty} gold answers are empty after the normaliser {normaliser!r}; "
            f"every answer without characters that it keeps counts as correct there."
        )
    return notes


def _plain(found: Any) -> Any:
    """Round fractions and turn intervals into lists, as JSON has them."""
    if isinstance(found, dict):
        return {key: _plain(part) for key, part in found.items()}
    if isinstance(found, list | tuple):
        return [_plain(part) for part in found]
    return round(found, _DIGITS) if isinstance(found, float) else found
