"""95 % intervals by profile likelihood: all values that the points do not contradict.

A value is inside when holding it there and fitting everything else raises the sum of squares by no more than F's
quantile allows: ``S(value) ≤ S·(1 + F(0.95; 1, n − p)/(n − p))`` for ``n`` points and ``p`` constants (D. Bates,
D. Watts, Nonlinear Regression Analysis and Its Applications, 1988, section 6.1). It needs noise of equal size and
independent points. The percentile bootstrap is narrower than it should be when points are few (``bootstrap.py`` says by
how much), because refits of resampled residuals vary less than new measurements would; the profile holds its 95 %
there, because F knows the degrees of freedom, and it does not change when a constant is written in another way.

Letters: ``q`` quantities, ``m`` values of each.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from radvqa.scaling.fit import Fit
from radvqa.scaling.points import FloatArray
from radvqa.scaling.problem import STEEPEST

if TYPE_CHECKING:
    from radvqa.scaling.least_squares import Residuals

LEVEL = 0.95
FARTHEST = 230.0
"""Largest distance between logarithms that is told: a factor of 10^100; what lies farther has no limit."""

_OUTWARD = 2.0 ** np.arange(-8, 20)  # steps at which the end of an interval is first looked for
_SECTIONS = 33  # of the step in which the end lies, and again of the section
_ROUNDS = 3

Interval = tuple[float | None, float | None]
"""Lower and upper end; None where there is no limit."""

Squares = Callable[[FloatArray], FloatArray]
"""From values ``(q, m)`` to the smallest sums of squares with each held, ``(q, m)``."""


def exponent(fit: Fit, which: int) -> Interval:
    """The interval of one exponent."""

    def squares(values: FloatArray) -> FloatArray:
        held = np.full((values.size, fit.problem.exponents), np.nan)
        held[:, which] = values.ravel()
        residuals = fit.problem.free(fit.points.loss[None])
        return fit.problem.solve(residuals, values.size, fit.law.exponents, held)[1].reshape(values.shape)

    low, high = _ends(fit, squares, np.array([fit.law.exponents[which]]), 0.1, (0.0, STEEPEST))
    return float(low[0]), None if high[0] >= STEEPEST else float(high[0])


def floor(fit: Fit) -> tuple[float, float]:
    """The interval of the floor; 0 when the points do not show whether there is one."""
    most = 2 * float(fit.points.loss.max())
    low, high = _ends(fit, _floor_squares(fit), np.array([fit.law.floor]), most / 200, (0.0, most))
    return float(low[0]), float(high[0])


def _floor_squares(fit: Fit) -> Squares:
    def squares(values: FloatArray) -> FloatArray:
        return _smallest(fit, fit.problem.with_floor(fit.points.loss[None], values.reshape(-1, 1)), values)

    return squares


def log_factor(fit: Fit) -> Interval:
    """The interval of the logarithm of A."""
    centre = fit.law.log_factor
    if not np.isfinite(centre):
        return None, None

    def squares(values: FloatArray) -> FloatArray:
        return _smallest(fit, fit.problem.with_log_factor(fit.points.loss[None], values.reshape(-1, 1)), values)

    bounds = (centre - FARTHEST, centre + FARTHEST)
    low, high = _ends(fit, squares, np.array([centre]), 0.5, bounds)
    return _within(low[0], bounds, 0), _within(high[0], bounds, 1)


def loss_at(fit: Fit, places: FloatArray, rounds: int = _ROUNDS) -> FloatArray:
    """The intervals of the law's own loss at places ``(q, k)``: ``(q, 2)``. A new measurement scatters more.

    Args:
        fit: the fit.
        places: the places.
        rounds: how often a step is divided; 2 are fine enough to be drawn.
    """
    predicted = fit.law.loss(places)
    logs = np.log(places)

    def squares(values: FloatArray) -> FloatArray:
        repeated = np.repeat(logs, values.shape[1], axis=0)
        return _smallest(fit, fit.problem.through(fit.points.loss[None], repeated, values.reshape(-1, 1)), values)

    most = 1e6 * float(fit.points.loss.max())
    low, high = _ends(fit, squares, predicted, float(fit.points.loss.max()) / 100, (0.0, most), rounds)
    return np.stack([low, high], axis=1)


def log_needed(fit: Fit, target: float, place: FloatArray, which: int) -> Interval:
    """The interval of the logarithm of what one variable must be for the loss to be ``target``.

    It has no upper end exactly when the target lies inside the floor's interval: then a law that never gets there
    contradicts no point.

    Args:
        fit: the fit.
        target: a loss above the fitted floor.
        place: values of all variables ``(k,)``; that of ``which`` does not count.
        which: the variable to solve for.
    """
    centre = fit.law.log_needed(target, list(place), which)

    def squares(values: FloatArray) -> FloatArray:
        places = np.tile(np.log(place), (values.size, 1))
        places[:, which] = values.ravel()
        aim = np.full((values.size, 1), target)
        return _smallest(fit, fit.problem.through(fit.points.loss[None], places, aim), values)

    bounds = (centre - FARTHEST, centre + FARTHEST)
    low, high = _ends(fit, squares, np.array([centre]), 0.5, bounds)
    endless = bool(_floor_squares(fit)(np.array([[target]]))[0, 0] <= limit(fit))
    return _within(low[0], bounds, 0), None if endless else _within(high[0], bounds, 1)


def limit(fit: Fit) -> float:
    """The sum of squares up to which a value is inside its interval."""
    from scipy.special import stdtrit  # of scipy.stats alone the import takes a second

    quantile = stdtrit(fit.freedom, (1 + LEVEL) / 2) ** 2  # F with one degree of freedom is Student's t, squared
    return float(fit.variance * (fit.freedom + quantile))


def _smallest(fit: Fit, residuals: "Residuals", values: FloatArray) -> FloatArray:
    return fit.problem.solve(residuals, values.size, fit.law.exponents)[1].reshape(values.shape)


def _within(end: float, bounds: tuple[float, float], side: int) -> float | None:
    return None if abs(end - bounds[side]) < 1e-6 else float(end)


def _ends(
    fit: Fit, squares: Squares, centre: FloatArray, step: float, bounds: tuple[float, float], rounds: int = _ROUNDS
) -> tuple[FloatArray, FloatArray]:
    """Find where the squares cross the limit on either side of ``centre`` ``(q,)``; a bound where they never do."""
    most = limit(fit)
    steps = np.concatenate([[0.0], step * _OUTWARD, [np.inf]])
    below, above = (np.clip(centre[:, None] + side * steps, *bounds) for side in (-1, 1))
    for _ in range(rounds):
        # the first value of a ladder is inside: the fit itself, or the last one that was
        reached = squares(np.hstack([below, above]))
        low, below = _crossing(below, reached[:, : below.shape[1]], most)
        high, above = _crossing(above, reached[:, -above.shape[1] :], most)
    return low, high


def _crossing(ladder: FloatArray, reached: FloatArray, most: float) -> tuple[FloatArray, FloatArray]:
    """Find where each ladder ``(q, m)`` crosses the limit, in a straight line within its step; and divide that step.

    A ladder that is inside to its end crosses there.
    """
    rows = np.arange(len(ladder))
    outside = reached[:, 1:] > most
    step = np.where(outside.any(axis=1), outside.argmax(axis=1), ladder.shape[1] - 2)
    inner, outer = ladder[rows, step], ladder[rows, step + 1]
    before, after = reached[rows, step], reached[rows, step + 1]
    crossed = after > most
    share = np.divide(most - before, after - before, out=np.ones(len(ladder)), where=crossed)
    inner = np.where(crossed, inner, outer)
    divided: FloatArray = inner[:, None] + (outer - inner)[:, None] * np.linspace(0.0, 1.0, _SECTIONS)
    return inner + np.clip(share, 0.0, 1.0) * (outer - inner), divided
