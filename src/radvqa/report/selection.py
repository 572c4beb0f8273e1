"""How the metric that chose some weights, and its value, are written."""

from collections.abc import Mapping
from typing import Any

from radvqa.report.numbers import UNDEFINED, percent

LOSS = "loss"


def metric_words(metric: str) -> str:
    """Write a metric's name for people: ``token_f1`` → ``token-F1``, ``exact_match`` → ``exact match``."""
    return metric.replace("_f1", "-F1").replace("_", " ")


def chosen_by(metric: str | None, where: Mapping[str, Any] | None = None) -> str:
    """Write what chose: the metric, and the questions that it was taken over where these were not all."""
    if metric is None:
        return UNDEFINED
    return metric_words(metric) + (f" of {where_words(where)}" if where else "")


def where_words(where: Mapping[str, Any]) -> str:
    """Write a filter of samples: ``answer type OPEN``, ``modality CT or MRI``."""
    return ", ".join(f"{field.replace('_', ' ')} {_one_of(values)}" for field, values in where.items())


def _one_of(values: Any) -> str:
    return " or ".join(str(value) for value in (values if isinstance(values, list | tuple) else [values]))


def value_words(metric: str | None, value: float | None) -> str:
    """Write a value: a loss as it is, a fraction as percent with its sign; a dash where there is none."""
    if metric is None or value is None:
        return UNDEFINED
    return f"{value:.3f}" if LOSS in metric else f"{percent(value)} %"
