"""Neural similarities of predictions, each with its interval and with the floor that random pairs reach."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from radvqa import device as devices
from radvqa.errors import DataError, RadvqaError, nearest
from radvqa.prediction import Prediction
from radvqa.scoring.items import Items, items_of, subset_rows
from radvqa.scoring.statistics import RESAMPLES, FloatArray, IntArray, Mean, Within, cluster_intervals
from radvqa.similarity.encoders import SCORE, SIMILARITIES, Compare
from radvqa.similarity.pairs import Texts, compare_lists, other_items, texts_of
from radvqa.text import unicode_words

_DIGITS = 6


def similarity(
    predictions: Sequence[Prediction],
    names: Sequence[str],
    *,
    device: str = "cpu",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Compare every prediction with its gold by neural encoders.

    Args:
        predictions: of one model on one split; their order does not matter.
        names: ``sbert`` or ``bertscore``, with a model or folder if wanted: ``sbert=org/name``,
            ``bertscore=org/name@layer``.
        device: ``cpu``, ``cuda`` or ``auto``.
        resamples: of the cluster bootstrap.
        seed: of the bootstrap and of the random pairs.

    Returns:
        By name as given: ``model``, for bertscore ``layer``, and for each of ``overall``, ``open`` and ``closed`` that
        has questions: ``n`` questions whose gold is not empty, ``empty`` predictions among them (they score 0),
        ``value`` and ``value_interval`` (mean cosine, or mean F1), for bertscore ``precision`` and ``recall`` likewise,
        and ``random_pair_floor``: the mean value of each prediction with the gold of another question of the subset,
        drawn among those whose gold differs; None when all golds are the same.

    Raises:
        DataError: when there are no predictions.
        RadvqaError: when a name is unknown.
        WeightsError: when a model's weights are found nowhere or lack the layer.
    """
    if not predictions:
        raise DataError("There are no predictions to compare.")
    chosen = {name: _parse(name) for name in names}
    predictions = sorted(predictions, key=lambda p: p.id)  # the bootstrap numbers clusters as they come
    texts = texts_of(predictions)
    items = items_of(predictions, unicode_words)
    subsets = subset_rows(items)
    found: dict[str, dict[str, Any]] = {}
    for name, (kind, model) in chosen.items():
        loaded = SIMILARITIES[kind].load(model, devices.choose(device))
        own, floors = _compare(loaded.compare, texts, items, subsets, seed)
        statistics = {
            (subset, column): Within(Mean(own[rows, place]), rows)
            for subset, rows in subsets.items()
            for place, column in enumerate(loaded.columns)
        }
        intervals = cluster_intervals(statistics, items.cluster, resamples=resamples, seed=seed)
        found[name] = {"model": loaded.model, **loaded.settings}
        for subset, rows in subsets.items():
            found[name][subset] = _sizes(texts, rows)
            for place, column in enumerate(loaded.columns):
                interval = intervals[subset, column]
                found[name][subset][column] = _mean(own[rows, place])
                found[name][subset][f"{column}_interval"] = interval and [round(limit, _DIGITS) for limit in interval]
            found[name][subset]["random_pair_floor"] = _mean(floors.get(subset))
    return found


def _compare(
    compare: Compare, texts: Texts, items: Items, subsets: Mapping[str, IntArray], seed: int
) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Return every item's values, ``(n, columns)``, and by subset the scores of random pairs, ``(n,)``."""
    random = np.random.default_rng(seed)
    lists = [(texts.gold, texts.answer)]
    drawn = []
    for subset, rows in subsets.items():
        others = other_items(items.gold[rows], random)
        if others is not None:
            drawn.append(subset)
            lists.append((texts.gold[rows[others]], texts.answer[rows]))
    own, *floors = compare_lists(compare, texts, lists)
    return own, {subset: values[:, SCORE] for subset, values in zip(drawn, floors, strict=True)}


def _sizes(texts: Texts, rows: IntArray) -> dict[str, Any]:
    counted = texts.said[texts.gold[rows]]
    return {"n": int(counted.sum()), "empty": int((counted & ~texts.said[texts.answer[rows]]).sum())}


def _mean(values: FloatArray | None) -> float | None:
    """Average what is known."""
    known = values[~np.isnan(values)] if values is not None else np.array([])
    return round(float(known.mean()), _DIGITS) if len(known) else None


def _parse(name: str) -> tuple[str, str]:
    kind, _, model = name.partition("=")
    if kind not in SIMILARITIES:
        raise RadvqaError(f"Unknown similarity {kind!r}; {nearest(kind, list(SIMILARITIES))}")
    return kind, model or SIMILARITIES[kind].model
