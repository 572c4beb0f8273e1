"""From predictions to everything that a report says about them; the result is plain JSON without NaN.

Values are fractions in [0, 1]; what cannot be computed is null, with the reason under ``undefined``.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from radvqa.errors import DataError, nearest
from radvqa.prediction import Prediction
from radvqa.scoring.items import Items, items_of
from radvqa.scoring.metrics import METRICS, Undefined
from radvqa.scoring.published import as_json, rows_for
from radvqa.scoring.statistics import RESAMPLES, IntArray, Statistic, cluster_intervals
from radvqa.scoring.twins import score_twins
from radvqa.text import NORMALISERS, normaliser_for

FORMAT = 1

_MODEL = ""  # the scored model among the answerers; the others are baselines
_BASELINE_INTERVALS = ("accuracy",)
_DIGITS = 6  # finer than one answer in a hundred thousand, and the same on every machine


def score(
    predictions: Sequence[Prediction],
    *,
    baselines: Mapping[str, Mapping[str, str]] | None = None,
    dataset: str = "",
    split: str = "",
    normaliser: str | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Score predictions.

    Args:
        predictions: of one model on one split; their order does not matter.
        baselines: baseline name → sample id → answer, as ``Run.baselines`` returns; they may answer more than is
            predicted, not less.
        dataset: ``name:version``, to find published results.
        split: the split's name.
        normaliser: name of the normaliser; by default the one that suits the predictions' language.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        DataError: when there are no predictions, an id is repeated, a baseline lacks an answer, or the normaliser
            is unknown.
    """
    predictions = _in_order(predictions)
    name = _normaliser_name(predictions, normaliser)
    items = items_of(predictions, NORMALISERS[name])
    answerers = {_MODEL: items} | {
        baseline: items_of(predictions, NORMALISERS[name], _answers(baseline, answers, predictions))
        for baseline, answers in (baselines or {}).items()
    }
    undefined: dict[str, str] = {}
    subsets = {
        subset: _measured(answerers, rows, resamples, seed, undefined) for subset, rows in _subsets(predictions).items()
    }
    twins = score_twins(predictions, NORMALISERS[name], resamples=resamples, seed=seed)
    return {
        "format": FORMAT,
        "dataset": dataset,
        "split": split,
        "normaliser": name,
        "questions": len(predictions),
        "clusters": subsets["overall"][_MODEL]["clusters"],
        "clustered_by": _clustered_by(predictions),
        "interval": f"95 % cluster bootstrap, {resamples} resamples",
        "subsets": {subset: measured[_MODEL] for subset, measured in subsets.items()},
        "question_types": {
            kind: _measured({_MODEL: items}, rows, resamples, seed, {})[_MODEL]
            for kind, rows in _kinds(predictions).items()
        },
        "baselines": {
            baseline: {subset: measured[baseline] for subset, measured in subsets.items()}
            for baseline in answerers
            if baseline != _MODEL
        },
        "unseen_answers": _unseen(predictions),
        "twins": _rounded(twins) if twins else None,
        "undefined": undefined,
        "notes": _notes(predictions, items, name),
        "published": [as_json(row) for row in rows_for(dataset, split, name)],
    }


def _in_order(predictions: Sequence[Prediction]) -> list[Prediction]:
    """Sort by id, because the bootstrap numbers clusters as they come."""
    if not predictions:
        raise DataError("There are no predictions to score.")
    ordered = sorted(predictions, key=lambda p: p.id)
    for one, other in pairwise(ordered):
        if one.id == other.id:
            raise DataError(f"The id {one.id!r} is used by two predictions; each question is scored once.")
    return ordered


def _normaliser_name(predictions: Sequence[Prediction], wanted: str | None) -> str:
    if wanted is None:
        suited = {normaliser_for(language) for language in {p.language for p in predictions}}
        return suited.pop() if len(suited) == 1 else "unicode"
    if wanted not in NORMALISERS:
        raise DataError(f"There is no normaliser {wanted!r}; {nearest(wanted, list(NORMALISERS))}")
    return wanted


def _subsets(predictions: Sequence[Prediction]) -> dict[str, IntArray]:
    """Return the rows of ``overall``, ``open`` and ``closed``; an empty subset is left out."""
    types = np.array([p.answer_type for p in predictions])
    rows = {
        "overall": np.arange(len(predictions)),
        "open": np.flatnonzero(types == "OPEN"),
        "closed": np.flatnonzero(types == "CLOSED"),
    }
    return {subset: chosen for subset, chosen in rows.items() if len(chosen)}


def _kinds(predictions: Sequence[Prediction]) -> dict[str, IntArray]:
    """Return the rows of each question type that the data set names, in alphabetical order."""
    kinds = np.array([p.question_type for p in predictions])
    return {str(kind): np.flatnonzero(kinds == kind) for kind in np.unique(kinds) if kind}


def _answers(baseline: str, answers: Mapping[str, str], predictions: Sequence[Prediction]) -> list[str]:
    """Line a baseline's answers up with the predictions."""
    for prediction in predictions:
        if prediction.id not in answers:
            raise DataError(f"The baseline {baseline!r} has no answer to {prediction.id!r}; predict again.")
    return [answers[prediction.id] for prediction in predictions]


def _measured(
    answerers: Mapping[str, Items], rows: IntArray, resamples: int, seed: int, undefined: dict[str, str]
) -> dict[str, dict[str, Any]]:
    """Compute all metrics of all answerers on some rows; notes in ``undefined`` what the model lacks and why.

    All are resampled together, because drawing costs most. Of a baseline only the accuracy gets an interval.
    """
    results: dict[str, dict[str, Any]] = {}
    resampled: dict[tuple[str, str], Statistic] = {}
    for answerer, everything in answerers.items():
        items = everything.take(rows)
        results[answerer] = {"n": len(items), "clusters": len(np.unique(items.cluster))}
        for name, metric in METRICS.items():
            measured = metric(items)
            if isinstance(measured, Undefined):
                results[answerer][name] = None
                if answerer == _MODEL:
                    undefined.setdefault(name, measured.reason)
            else:
                results[answerer][name] = measured.value()
                if answerer == _MODEL or name in _BASELINE_INTERVALS:
                    resampled[answerer, name] = measured
            if answerer == _MODEL or name in _BASELINE_INTERVALS:
                results[answerer][f"{name}_interval"] = None
    cluster = answerers[_MODEL].cluster[rows]
    for (answerer, name), interval in cluster_intervals(resampled, cluster, resamples=resamples, seed=seed).items():
        results[answerer][f"{name}_interval"] = interval
        if interval is None:
            undefined.setdefault("interval", "fewer than two clusters leave nothing to resample")
    return {answerer: _rounded(result) for answerer, result in results.items()}


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


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Round fractions and turn intervals into lists, as JSON has them."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [round(limit, _DIGITS) for limit in value]
    return round(value, _DIGITS) if isinstance(value, float) else value
