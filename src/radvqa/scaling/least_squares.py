"""Least squares over one or two exponents, for many problems at once."""

from collections.abc import Callable

import numpy as np

from radvqa.scaling.points import FloatArray

Residuals = Callable[[FloatArray], FloatArray]
"""From exponents ``(…, m, k)`` to residuals ``(…, m, n)``; row ``i`` of ``m`` belongs to problem ``i``."""

_ROUNDS = 60
_STEP = 1e-6  # of the difference quotients
_STILL = 1e-8  # a step of the exponents that changes nothing any more
_GAIN = 1e-12  # share of the sum of squares that is not worth another round
_STIFF = 1e10  # damping at which no step helps any more


def minimise(
    residuals: Residuals, start: FloatArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Minimise sums of squares by Levenberg's and Marquardt's method within bounds.

    scipy's ``least_squares`` solves one problem a call, and a profile or a bootstrap has thousands of small ones;
    a test holds the two together. Letters: ``m`` problems, ``k`` exponents, ``n`` points.

    Args:
        residuals: the problems.
        start: exponents to start from, ``(m, k)``.
        low: lower bounds, ``(m, k)``; where they equal the upper ones, the exponent is fixed.
        high: upper bounds, ``(m, k)``.

    Returns:
        Exponents ``(m, k)`` and sums of squares ``(m,)``.
    """
    at = np.clip(start, low, high)
    left = residuals(at)
    total = _squares(left)
    damping = np.full(len(at), 1e-3)
    eye = np.eye(at.shape[1])
    for _ in range(_ROUNDS):
        slopes = _slopes(residuals, at, low, high)
        gradient = np.einsum("mnk,mn->mk", slopes, left)
        stuck = ((at <= low) & (gradient >= 0)) | ((at >= high) & (gradient <= 0))
        gradient = np.where(stuck, 0.0, gradient)
        hessian = np.einsum("mnk,mnl->mkl", slopes, slopes)
        diagonal = np.einsum("mkk->mk", hessian)
        damped = damping[:, None] * diagonal + stuck + np.finfo(np.float64).tiny ** 0.5
        hessian = np.where(stuck[:, :, None] | stuck[:, None, :], 0.0, hessian) + eye * damped[:, :, None]
        moved = np.clip(at - np.linalg.solve(hessian, gradient[..., None])[..., 0], low, high)
        new = residuals(moved)
        squares = _squares(new)
        better = squares < total
        still = (np.abs(moved - at).max(axis=1) < _STILL) | (better & (squares > total * (1 - _GAIN)))
        at = np.where(better[:, None], moved, at)
        left = np.where(better[:, None], new, left)
        total = np.where(better, squares, total)
        damping = np.where(better, np.maximum(damping / 10, 1e-12), np.minimum(damping * 8, 1e12))
        if np.all(still | (damping >= _STIFF)):
            break
    return at, total


def _squares(left: FloatArray) -> FloatArray:
    squares: FloatArray = np.einsum("mn,mn->m", left, left)
    return squares


def _slopes(residuals: Residuals, at: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Difference quotients ``(m, n, k)``, inside the bounds; zero for an exponent that is fixed."""
    slopes = []
    for j in range(at.shape[1]):
        above, below = at.copy(), at.copy()
        above[:, j] = np.minimum(at[:, j] + _STEP, high[:, j])
        below[:, j] = np.maximum(at[:, j] - _STEP, low[:, j])
        width = (above - below)[:, j, None]
        slopes.append((residuals(above) - residuals(below)) / np.where(width > 0, width, 1.0))
    return np.stack(slopes, axis=-1)
