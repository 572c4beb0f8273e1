"""The fit: least squares with bounds, from every start of a grid."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radvqa.errors import DataError
from radvqa.scaling.law import Law
from radvqa.scaling.least_squares import minimise
from radvqa.scaling.points import FloatArray, Points
from radvqa.scaling.problem import STEEPEST, Problem

_HUBER = 1.345  # standard deviations; P. Huber's choice, 95 % efficient under Gaussian noise
_MAD = 1.4826  # standard deviations of a Gaussian in one median absolute deviation
_ROUNDS = 50
_PRECISION = 1e-9  # of the loss: residuals below this are rounding, not noise


@dataclass(frozen=True, eq=False)
class Fit:
    """A law fitted to points.

    Attributes:
        points: the points.
        law: the law.
        weights: how much each point counts, from 0 to 1, ``(n,)``.
    """

    points: Points
    law: Law
    weights: FloatArray

    @cached_property
    def residuals(self) -> FloatArray:
        """Measured minus fitted loss, ``(n,)``."""
        return self.points.loss - self.law.loss(self.points.variables)

    @property
    def squares(self) -> float:
        """The weighted sum of squared residuals."""
        return float(self.weights @ self.residuals**2)

    @property
    def freedom(self) -> int:
        """Degrees of freedom: points less constants."""
        return len(self.points.loss) - len(self.points.names) - 2

    @property
    def variance(self) -> float:
        """Estimated variance of the loss about the law."""
        least = (_PRECISION * float(self.points.loss.max())) ** 2
        return max(self.squares / self.freedom, least)

    @cached_property
    def problem(self) -> Problem:
        """The points as a problem, for profiles and bootstraps."""
        return _problem(self.points, self.weights)


def fit(points: Points, *, robust: bool = False) -> Fit:
    """Fit a law by least squares within ``0 ≤ A, E`` and ``0 ≤ α, β ≤ 10``.

    The exponents are searched from every place of a grid (40 for one variable, 100 for two) and the lowest sum of
    squares is kept, so that no unlucky start ends in another minimum; the linear constants have a closed form.

    Args:
        points: as ``told_apart`` returns them.
        robust: let outliers count less: Huber's weights, iterated, with the scale of the residuals' median.
    """
    weights = np.ones(len(points.loss))
    found = _least_squares(points, weights)
    for _ in range(_ROUNDS if robust else 0):
        before, weights = weights, _huber(found)
        found = _least_squares(points, weights)
        if np.abs(weights - before).max() < 1e-6:
            break
    return found


def _least_squares(points: Points, weights: FloatArray) -> Fit:
    problem = _problem(points, weights)
    loss = points.loss[None]
    starts = problem.grid()
    low, high = np.zeros(starts.shape), np.full(starts.shape, STEEPEST)
    found, squares = minimise(problem.free(loss), starts, low, high)
    exponents = found[np.argmin(squares)]
    height, floor = problem.solved(exponents[None], loss)
    law = Law(points.names, problem.start, float(height[0, 0]), exponents, float(floor[0, 0]))
    return Fit(points, law, weights)


def _problem(points: Points, weights: FloatArray) -> Problem:
    start: FloatArray = points.variables.min(axis=0)
    return Problem(np.log(points.variables / start), start, np.sqrt(weights))


def _huber(found: Fit) -> FloatArray:
    scale = _MAD * float(np.median(np.abs(found.residuals)))
    scale = max(scale, _PRECISION * float(found.points.loss.max()))
    weights: FloatArray = np.minimum(1.0, _HUBER * scale / np.maximum(np.abs(found.residuals), 1e-300))
    return weights


def require_falling(found: Fit, which: int) -> None:
    """Refuse to solve for a variable on which the loss does not depend.

    Raises:
        DataError: names the variable.
    """
    if not found.law.height or not found.law.exponents[which]:
        symbol = found.points.symbols[which]
        raise DataError(
            f"The loss does not fall with {symbol} in these points; no amount of {symbol} buys a lower one."
        )
