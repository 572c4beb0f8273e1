"""Choosing the best epoch on the selection split, by any metric of the scoring room; never on the test split."""

from collections.abc import Sequence

from radvqa.errors import RecipeError, nearest
from radvqa.prediction import Prediction
from radvqa.scoring.items import items_of
from radvqa.scoring.metric import METRICS, Undefined
from radvqa.scoring.statistics import value
from radvqa.text import NORMALISERS, normaliser_for

REPORTED = ("accuracy", "token_f1")

LOSS = "loss"
"""Chooses by the loss instead of a metric; no answers are needed for it."""


def check_metric(name: str) -> None:
    """Refuse an unknown metric before anything is read.

    Raises:
        RecipeError: names the nearest metric.
    """
    if name not in METRICS and name != LOSS:
        raise RecipeError(f"training.select_by: there is no metric {name!r}; {nearest(name, [*METRICS, LOSS])}")


def measure(
    predictions: Sequence[Prediction], names: Sequence[str], *, undefined: float | None = None
) -> dict[str, float]:
    """Compute metrics (fractions in [0, 1]; all of them are better when larger).

    Args:
        predictions: of the selection split.
        names: of metrics.
        undefined: value of a metric that these predictions do not have; None refuses it.

    Raises:
        RecipeError: when a metric is undefined for these predictions.
    """
    items = items_of(predictions, NORMALISERS[normaliser_for(p.language for p in predictions)])
    values = {}
    for name in dict.fromkeys(names):
        statistic = METRICS[name].measure(items)
        if not isinstance(statistic, Undefined):
            values[name] = value(statistic, len(items))
        elif undefined is None:
            raise RecipeError(f"The metric {name} cannot choose an epoch here: {statistic.reason}.")
        else:
            values[name] = undefined
    return values
