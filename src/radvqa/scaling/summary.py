"""A fit as plain values: what is written as JSON, printed and drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from radvqa.scaling import answers, intervals
from radvqa.scaling.bootstrap import bootstrap, percentiles
from radvqa.scaling.doubts import doubts
from radvqa.scaling.fit import Fit
from radvqa.scaling.law import EXPONENTS, letters, written

if TYPE_CHECKING:
    from radvqa.scaling.points import FloatArray

_FARTHEST = 100.0  # times the largest observed value, to which a curve is drawn
_PLACES = 40  # of a curve
_CURVES = 5  # of a law in X and D, each at one X


def summarise(
    fit: Fit,
    *,
    targets: Sequence[float] = (),
    hold: float | None = None,
    places: Sequence[Mapping[str, float]] = (),
    resamples: int,
) -> dict[str, Any]:
    """Put together all that a fit says.

    Args:
        fit: the fit.
        targets: losses for which to say what they need.
        hold: the X at which targets are asked for.
        places: where to predict the loss.
        resamples: of the bootstrap.

    Returns:
        ``law``, ``variables``, ``points``, ``constants``, ``scatter`` (standard deviation of the loss about the law),
        ``freedom``, ``predictions``, ``targets``, ``warnings`` and ``curves``. An end of an interval that has no limit
        is None.

    Raises:
        DataError: for a target or place of which the law says nothing.
    """
    asked = [answers.needed(fit, target, hold) for target in targets]
    told = [answers.predicted(fit, place) for place in places]
    exponents = [intervals.exponent(fit, j) for j in range(len(fit.points.names))]
    floor = intervals.floor(fit)
    said = doubts(fit, exponents, floor)
    for answer in (*told, *asked):
        said += answers.warnings(fit, answer)
    return {
        "law": written(fit.points.names),
        "variables": [
            {"name": name, "symbol": symbol, "smallest": float(column.min()), "largest": float(column.max())}
            for name, symbol, column in zip(fit.points.names, fit.points.symbols, fit.points.variables.T, strict=True)
        ],
        "points": _points(fit),
        "constants": _constants(fit, exponents, floor, resamples),
        "scatter": float(fit.variance**0.5),
        "freedom": fit.freedom,
        "predictions": told,
        "targets": asked,
        "warnings": list(dict.fromkeys(said)),
        "curves": _curves(fit, [*told, *asked]),
    }


def _points(fit: Fit) -> list[dict[str, Any]]:
    fitted = fit.law.loss(fit.points.variables)
    return [
        {
            "name": fit.points.labels[i],
            **dict(zip(fit.points.names, fit.points.variables[i].tolist(), strict=True)),
            "loss": float(fit.points.loss[i]),
            "fitted": float(fitted[i]),
            "residual": float(fit.residuals[i]),
            "weight": float(fit.weights[i]),
        }
        for i in range(len(fitted))
    ]


def _constants(
    fit: Fit, exponents: Sequence[intervals.Interval], floor: intervals.Interval, resamples: int
) -> list[dict[str, Any]]:
    refits = bootstrap(fit, resamples)
    factor_letter, floor_letter = letters(fit.points.names)
    factor = (factor_letter, fit.law.log_factor, intervals.log_factor(fit), percentiles(refits[:, 0]))
    constants = [(factor[0], _exp(factor[1]) or 0.0, *([_exp(end) for end in pair] for pair in factor[2:]))]
    for j, name in enumerate(fit.points.names):
        constants.append(
            (EXPONENTS[name], float(fit.law.exponents[j]), list(exponents[j]), list(percentiles(refits[:, j + 1])))
        )
    constants.append((floor_letter, fit.law.floor, list(floor), list(percentiles(refits[:, -1]))))
    return [
        {"name": name, "value": value, "interval": interval, "bootstrap": middle}
        for name, value, interval, middle in constants
    ]


def _exp(log: float | None) -> float | None:
    """Return a factor from its logarithm; None where there is no limit or it is no number any more."""
    return None if log is None or log > 700 else float(np.exp(log))


def _curves(fit: Fit, answered: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Compute the law and its band along its last variable, at some values of the other."""
    along = fit.points.names[-1]
    last = fit.points.variables[:, -1]
    shown = last.tolist()
    for answer in answered:
        needed = (answer["needed"], answer["interval"][1]) if answer.get("variable") == along else ()
        asked = [value for value in (*needed, answer.get("at", {}).get(along)) if value is not None]
        shown += [value for value in asked if last.min() / _FARTHEST < value < _FARTHEST * last.max()]
    ends = np.geomspace(min(shown) / 1.15, max(shown) * 1.15, _PLACES)
    grid = np.union1d(ends, [last.min(), last.max()])  # where the law was observed is drawn to its very end
    curves = []
    for held in _held(fit, answered):
        places = np.column_stack([*(np.full(len(grid), value) for value in held.values()), grid])
        band = intervals.loss_at(fit, places, rounds=2)
        curves.append(
            {
                "held": held,
                "along": along,
                "at": grid.tolist(),
                "loss": fit.law.loss(places).tolist(),
                "low": band[:, 0].tolist(),
                "high": band[:, 1].tolist(),
            }
        )
    return curves


def _held(fit: Fit, answered: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """Return values of the first variable at which a law in two is drawn: some observed ones, and those asked for."""
    if len(fit.points.names) == 1:
        return [{}]
    name = fit.points.names[0]
    values: FloatArray = np.unique(fit.points.variables[:, 0])
    chosen = values[np.unique(np.linspace(0, len(values) - 1, _CURVES).round().astype(int))].tolist()
    asked = {(answer.get("held") or answer.get("at", {})).get(name) for answer in answered}
    return [{name: value} for value in sorted({*chosen, *(value for value in asked if value)})]
