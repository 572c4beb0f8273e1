"""What a reader must know before believing a fit: sentences, none when there is nothing to say."""

from collections.abc import Iterator

import numpy as np

from radvqa.scaling.fit import Fit
from radvqa.scaling.intervals import Interval
from radvqa.scaling.law import EXPONENTS, letters
from radvqa.scaling.points import Points
from radvqa.scaling.problem import STEEPEST
from radvqa.scaling.words import number

_RISE = 0.05  # share of the fall that the loss may rise again before it is said
_FEW = 3  # degrees of freedom below which intervals rest on little
_PATTERN = 8  # points from which the order of residuals says something
_SMALL_WEIGHT = 0.5


def doubts(fit: Fit, exponents: list[Interval], floor: tuple[float, float]) -> list[str]:
    """Say what speaks against a fit.

    Args:
        fit: the fit.
        exponents: their intervals.
        floor: its interval.
    """
    return [*_rising(fit.points), *_flat(fit), *_bounds(fit, exponents, floor), *_shape(fit), *_weights(fit)]


def _rising(points: Points) -> Iterator[str]:
    if len(points.names) > 1:
        return
    ordered = points.in_order()
    loss, place = ordered.loss, ordered.variables[:, 0]
    lowest = int(np.argmin(loss))
    after = len(loss) - 1 - lowest
    if after >= 2 and loss[-1] - loss[lowest] > _RISE * (loss[0] - loss[lowest]):
        symbol = points.symbols[0]
        yield (
            f"The loss rises again: from {number(loss[lowest])} at {symbol} = {number(place[lowest], 6)} to "
            f"{number(loss[-1])} at {symbol} = {number(place[-1], 6)}. A power law only falls, so it cannot describe "
            f"this (it looks like overfitting); --to-lowest fits the points up to the lowest."
        )


def _flat(fit: Fit) -> Iterator[str]:
    if not fit.law.falls:
        yield (
            f"The loss does not fall with {' or '.join(fit.points.symbols)} in these points: the best law is the "
            f"constant {number(fit.law.floor + fit.law.height)}, and nothing can be predicted from it."
        )


def _bounds(fit: Fit, exponents: list[Interval], floor: tuple[float, float]) -> Iterator[str]:
    if not fit.law.falls:
        return
    floor_letter = letters(fit.law.names)[1]
    for name, value, (low, high) in zip(fit.law.names, fit.law.exponents, exponents, strict=True):
        letter, symbol = EXPONENTS[name], fit.points.symbols[fit.law.names.index(name)]
        if value >= STEEPEST:
            yield (
                f"{letter} stands at its bound of {STEEPEST:g}: beyond the smallest {symbol} the points show no fall "
                f"that a power law could follow."
            )
        elif low == 0.0:
            yield f"The interval of {letter} reaches 0: these points do not show that {symbol} matters."
        elif high is None:
            yield f"{letter} has no upper limit below {STEEPEST:g}: these points do not say how fast the loss falls."
    if floor[0] == 0.0:
        yield f"The interval of {floor_letter} reaches 0: these points do not show whether there is a floor."
    if fit.freedom < _FEW:
        yield (
            f"{len(fit.points.loss)} points for {len(fit.points.names) + 2} constants leave "
            f"{fit.freedom} to judge the scatter by; the intervals are wide for that, and rest on Gaussian noise."
        )


def _shape(fit: Fit) -> Iterator[str]:
    """Neighbouring residuals of one sign are what a wrong shape leaves; independent noise has no such order."""
    ordered = np.argsort(fit.points.variables[:, -1], kind="stable")
    left = fit.residuals[ordered]
    if len(fit.points.names) > 1 or len(left) < _PATTERN or fit.squares / fit.freedom < fit.variance:
        return
    alike = float(left[1:] @ left[:-1] / (left @ left))
    if alike > 1.645 / len(left) ** 0.5:  # one-sided, 5 %: the standard deviation of white noise's is 1/√n
        yield (
            f"Neighbouring residuals are alike (correlation {alike:.2f}): the points bend in another way than the law, "
            f"or are not independent, and the intervals are too narrow."
        )


def _weights(fit: Fit) -> Iterator[str]:
    light = [label for label, weight in zip(fit.points.labels, fit.weights, strict=True) if weight < _SMALL_WEIGHT]
    if light:
        yield f"Outliers that count less than half: {', '.join(light)}."
