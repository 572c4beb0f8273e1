"""Residuals of the law with its linear constants solved for, so that only exponents are searched.

With the exponents given, the law is linear in height and floor, and their best values within bounds have a closed form
(variable projection: G. Golub, V. Pereyra, SIAM J. Numer. Anal. 10, 1973). Holding one constant, or the loss at one
place, leaves one linear constant with a closed form of its own; that is what profiles need.

Letters: ``m`` problems, ``n`` points, ``k`` exponents.
"""

from dataclasses import dataclass

import numpy as np

from radvqa.scaling.least_squares import Residuals, minimise
from radvqa.scaling.points import FloatArray

STEEPEST = 10.0
"""Upper bound of an exponent: twice the variable, a thousandth of the loss. Published ones lie below 1."""

_CELLS = 1 << 18  # residuals held at once: 2 MiB
_LARGEST = 300.0  # of an exponential's argument, so that its square is still a number


@dataclass(frozen=True, eq=False)
class Problem:
    """Points to be fitted.

    Attributes:
        away: logarithm of each variable over its smallest value, ``(n, k)``.
        start: the smallest values, ``(k,)``.
        weights: square roots of the weights, ``(n,)``.
    """

    away: FloatArray
    start: FloatArray
    weights: FloatArray

    @property
    def exponents(self) -> int:
        """How many exponents the law has."""
        return int(self.away.shape[1])

    def free(self, loss: FloatArray) -> Residuals:
        """All constants free. ``loss`` is ``(m, n)`` or ``(1, n)``, here and below."""

        def residuals(exponents: FloatArray) -> FloatArray:
            height, floor = self.solved(exponents, loss)
            return (height * np.exp(-(exponents @ self.away.T)) + floor - loss) * self.weights

        return residuals

    def solved(self, exponents: FloatArray, loss: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the best height and floor, each at least 0, as ``(m, 1)``."""
        shape = np.exp(-(exponents @ self.away.T))
        weights = self.weights**2 / np.sum(self.weights**2)
        mean_shape, mean_loss = _sum(weights * shape), _sum(weights * loss)
        lifted = shape - mean_shape
        height = np.maximum(_ratio(_sum(weights * lifted * loss), _sum(weights * lifted**2)), 0.0)
        floor = mean_loss - height * mean_shape
        sunk = floor < 0
        without = np.maximum(_sum(weights * shape * loss) / _sum(weights * shape**2), 0.0)
        return np.where(sunk, without, height), np.where(sunk, 0.0, floor)

    def with_floor(self, loss: FloatArray, floor: FloatArray) -> Residuals:
        """The floor held at ``(m, 1)``."""

        def residuals(exponents: FloatArray) -> FloatArray:
            shape = np.exp(-(exponents @ self.away.T)) * self.weights
            above = (loss - floor) * self.weights
            return np.maximum(_sum(shape * above) / _sum(shape**2), 0.0) * shape - above

        return residuals

    def with_log_factor(self, loss: FloatArray, log_factor: FloatArray) -> Residuals:
        """The logarithm of the factor A held at ``(m, 1)``."""
        logs = self.away + np.log(self.start)

        def residuals(exponents: FloatArray) -> FloatArray:
            curve = np.exp(np.minimum(log_factor - exponents @ logs.T, _LARGEST)) * self.weights
            floor = np.maximum(_sum((loss * self.weights - curve) * self.weights) / np.sum(self.weights**2), 0.0)
            return curve + (floor - loss) * self.weights

        return residuals

    def through(self, loss: FloatArray, place: FloatArray, value: FloatArray) -> Residuals:
        """The loss held at ``value`` ``(m, 1)`` where the logarithms of the variables are ``place`` ``(m, k)``."""
        shift = place - np.log(self.start)

        def residuals(exponents: FloatArray) -> FloatArray:
            above = _sum(exponents * shift) - exponents @ self.away.T
            rise = np.expm1(np.minimum(above, _LARGEST)) * self.weights
            off = (loss - value) * self.weights
            # the reducible loss at the place: not negative, and not more than the loss there
            height = np.clip(_ratio(_sum(rise * off), _sum(rise**2)), 0.0, value)
            left: FloatArray = height * rise - off
            return left

        return residuals

    def solve(
        self, residuals: Residuals, problems: int, guess: FloatArray | None = None, fixed: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Minimise from the best place of a grid, so that no start is far from the lowest minimum.

        Args:
            residuals: the problems.
            problems: how many they are.
            guess: exponents that may be good, ``(k,)``; the grid is then coarser.
            fixed: exponents that are held, ``(m, k)``; NaN where they are free.

        Returns:
            Exponents ``(m, k)`` and sums of squares ``(m,)``.
        """
        held = np.full((problems, self.exponents), np.nan) if fixed is None else fixed
        low, high = np.where(np.isnan(held), 0.0, held), np.where(np.isnan(held), STEEPEST, held)
        starts = self.grid() if guess is None else np.vstack([self.grid(fine=False), guess])
        each = max(1, _CELLS // (problems * len(self.weights)))  # starts that are tried at once
        totals = []
        for some in np.split(starts, range(each, len(starts), each)):
            left = residuals(np.clip(some[:, None], low, high))
            totals.append(np.einsum("smn,smn->sm", left, left))
        best = starts[np.argmin(np.concatenate(totals), axis=0)]
        return minimise(residuals, best, low, high)

    def grid(self, *, fine: bool = True) -> FloatArray:
        """Exponents that cover all slopes: 40 of one variable and 10 × 10 of two, or 10 and 5 × 5."""
        if self.exponents == 1:
            return np.geomspace(0.01, STEEPEST, 40 if fine else 10)[:, None]
        some = np.geomspace(0.01, STEEPEST, 10 if fine else 5)
        both: FloatArray = np.stack(np.meshgrid(some, some), axis=-1).reshape(-1, 2)
        return both


def _sum(values: FloatArray) -> FloatArray:
    total: FloatArray = values.sum(axis=-1, keepdims=True)
    return total


def _ratio(over: FloatArray, under: FloatArray) -> FloatArray:
    """Divide; nothing by nothing is nothing."""
    return np.divide(over, under, out=np.zeros(np.broadcast(over, under).shape), where=under > 0)
