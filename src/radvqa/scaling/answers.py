"""What a fitted law says: the loss at a place, what a target needs, and how far that lies from the points."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from radvqa.errors import DataError
from radvqa.scaling import intervals
from radvqa.scaling.fit import Fit, require_falling
from radvqa.scaling.law import letters
from radvqa.scaling.points import SYMBOLS, FloatArray
from radvqa.scaling.words import number

_LARGEST_LOG = 400.0  # with the farthest end of its interval still a number


def predicted(fit: Fit, given: Mapping[str, float]) -> dict[str, Any]:
    """Predict the loss at a place.

    Args:
        fit: the fit.
        given: the value of each variable of the law, by name.

    Returns:
        ``at``, ``loss``, its ``interval`` and ``beyond``: by how many times each variable lies outside of the points.

    Raises:
        DataError: when a variable is missing, is not of the law, or is not above 0.
    """
    _check(fit, given)
    place = np.array([given[name] for name in fit.points.names], np.float64)
    loss = float(fit.law.loss(place[None])[0])
    if not np.isfinite(loss):
        raise DataError("The loss that is asked for lies so far outside of the points that it is no number.")
    low, high = intervals.loss_at(fit, place[None])[0]
    return {
        "at": dict(zip(fit.points.names, place.tolist(), strict=True)),
        "loss": loss,
        "interval": [float(low), float(high)],
        "beyond": beyond(fit, place),
    }


def needed(fit: Fit, target: float, hold: float | None = None) -> dict[str, Any]:
    """Solve for the data (or the only variable of the law) at which the loss is ``target``.

    Args:
        fit: the fit.
        target: a loss.
        hold: the X at which data are asked for; the largest one observed by default.

    Returns:
        ``target``, ``variable``, ``needed`` with its ``interval`` (None where it has no limit), ``held`` and
        ``beyond``.

    Raises:
        DataError: when the target is not above the fitted floor, or the loss does not fall.
    """
    names = fit.points.names
    which = names.index("d") if "d" in names else 0
    require_falling(fit, which)
    refuse_below_floor(fit, target)
    place = fit.points.variables.max(axis=0)
    held = {}
    if len(names) > 1:
        place[1 - which] = place[1 - which] if hold is None else _positive(hold, SYMBOLS[names[1 - which]])
        held = {names[1 - which]: float(place[1 - which])}
    elif hold is not None:
        raise DataError(
            f"--hold names the X at which data are asked for; this law is in {fit.points.symbols[0]} alone."
        )
    log_value = fit.law.log_needed(target, list(place), which)
    if abs(log_value) > _LARGEST_LOG:
        raise DataError(
            f"The target {target:g} needs more or less {fit.points.symbols[which]} than can be written as a number; it "
            f"lies too near to the floor or too far above it, or the loss hardly falls."
        )
    low, high = intervals.log_needed(fit, target, place, which)
    place[which] = np.exp(log_value)
    return {
        "target": target,
        "variable": names[which],
        "needed": float(place[which]),
        "interval": [None if end is None else float(np.exp(end)) for end in (low, high)],
        "held": held,
        "beyond": beyond(fit, place),
    }


def refuse_below_floor(fit: Fit, target: float) -> None:
    """Refuse a target that the law never reaches.

    Raises:
        DataError: names the floor and its interval.
    """
    if not target > 0:
        raise DataError(f"The target {target:g} is no loss; give a number above 0.")
    if target <= fit.law.floor:
        low, high = intervals.floor(fit)
        raise DataError(
            f"The target {target:g} is not above the fitted floor {letters(fit.law.names)[1]} = "
            f"{number(fit.law.floor)} [{number(low)}, {number(high)}]: by this law no amount of "
            f"{' or '.join(fit.points.symbols)} reaches it."
        )


def beyond(fit: Fit, place: FloatArray) -> dict[str, float]:
    """By how many times each variable lies outside of the points; those inside are left out."""
    far = {}
    for name, value, column in zip(fit.points.names, place, fit.points.variables.T, strict=True):
        times = max(float(value / column.max()), float(column.min() / value))
        if times > 1 + 1e-9:
            far[name] = times
    return far


def warnings(fit: Fit, answer: Mapping[str, Any]) -> list[str]:
    """Say what a reader must know about a prediction or an answer for a target."""
    about = f"Target {answer['target']:g}" if "target" in answer else f"Predicted loss {number(answer['loss'])}"
    value = {**answer["held"], answer["variable"]: answer["needed"]} if "target" in answer else answer["at"]
    said = []
    for name, times in answer["beyond"].items():
        column = fit.points.variables[:, fit.points.names.index(name)]
        side, edge = ("above", column.max()) if value[name] > column.max() else ("below", column.min())
        said.append(
            f"{about}: {SYMBOLS[name]} = {number(value[name])} is an extrapolation, {number(times, 3)} times {side} "
            f"what was observed ({number(edge, 6)}); nothing shows that the law holds there."
        )
    if "target" in answer and answer["interval"][1] is None:
        low, high = intervals.floor(fit)
        if answer["target"] <= high:
            said.append(
                f"{about} lies inside the interval of the floor [{number(low)}, {number(high)}], so that what it needs "
                f"has no upper limit."
            )
    return said


def _check(fit: Fit, given: Mapping[str, float]) -> None:
    names = fit.points.names
    if set(given) != set(names):
        wanted = " and ".join(f"{name}=…" for name in names)
        raise DataError(
            f"A loss of this law is predicted at {wanted}; given: {', '.join(f'{k}={v:g}' for k, v in given.items())}."
        )
    for name, value in given.items():
        _positive(value, SYMBOLS[name])


def _positive(value: float, symbol: str) -> float:
    if not (np.isfinite(value) and value > 0):
        raise DataError(f"{symbol} = {value:g} is no place of a law; give a number above 0.")
    return value
