"""The fit: the lowest sum of squares within the bounds, whatever the units, wherever a search would have begun."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published import SERIES, curve, in_size_and_data, in_time, points
from scipy.optimize import curve_fit, least_squares, minimize_scalar, nnls

from radvqa.errors import DataError
from radvqa.scaling.fit import fit, require_falling
from radvqa.scaling.law import written
from radvqa.scaling.points import FloatArray


def by_grid(t: FloatArray, loss: FloatArray) -> tuple[float, float, float, float]:
    """Constants a, b, c and the sum of squares: scipy's non-negative least squares along a fine grid of b."""

    def squares(b: float) -> float:
        return float(nnls(np.column_stack([t**-b, np.ones_like(t)]), loss)[1] ** 2)

    grid = np.linspace(0.001, 10, 4000)
    best = float(grid[np.argmin([squares(b) for b in grid])])
    step = float(grid[1] - grid[0])
    found = minimize_scalar(
        squares, bounds=(max(best - step, 0), min(best + step, 10)), method="bounded", options={"xatol": 1e-10}
    )
    (a, c), _ = nnls(np.column_stack([t**-found.x, np.ones_like(t)]), loss)
    return float(a), float(found.x), float(c), float(found.fun)


@pytest.mark.parametrize("series", SERIES)
def test_published_curves_are_fitted_as_a_grid_with_scipys_nnls_fits_them(series: str) -> None:
    t, loss = curve(series)
    a, b, c, squares = by_grid(t, loss)
    found = fit(points(series))
    assert found.squares == pytest.approx(squares, rel=1e-9)
    assert found.law.exponents[0] == pytest.approx(b, rel=1e-4)
    assert np.exp(found.law.log_factor) == pytest.approx(a, rel=1e-4)
    assert found.law.floor == pytest.approx(c, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("series", ["roco", "roco_medpix", "mimic_cxr_vqa", "pmc_vqa"])
def test_published_curves_are_fitted_as_curve_fit_fits_them_from_a_good_start(series: str) -> None:
    t, loss = curve(series)
    (a, b, c), _ = curve_fit(
        lambda t, a, b, c: a * t**-b + c, t, loss, p0=(0.1, 1.0, loss.min()), xtol=1e-14, ftol=1e-14, gtol=1e-14
    )
    law = fit(points(series)).law
    assert law.exponents[0] == pytest.approx(b, rel=1e-6)
    assert np.exp(law.log_factor) == pytest.approx(a, rel=1e-6)
    assert law.floor == pytest.approx(c, rel=1e-6)


def test_two_variables_are_fitted_as_scipys_least_squares_fits_them_from_many_starts() -> None:
    rng = np.random.default_rng(5)
    sizes = np.array([(x, d) for x in (1e6, 4e6, 1.6e7) for d in (500.0, 1000, 2000, 4000, 8000)])
    loss = 40 * sizes[:, 0] ** -0.12 * sizes[:, 1] ** -0.25 + 0.7 + rng.normal(0, 0.01, len(sizes))
    z = np.log(sizes / sizes.min(axis=0))

    def residuals(p: FloatArray) -> FloatArray:
        left: FloatArray = p[0] * np.exp(-z @ p[1:3]) + p[3] - loss
        return left

    starts = [(h, a, b, e) for h in (0.5, 2.0) for a in (0.05, 0.5) for b in (0.05, 0.5) for e in (0.01, 1.0)]
    best = min(
        (
            least_squares(residuals, p, bounds=(0, [np.inf, 10, 10, np.inf]), xtol=1e-14, ftol=1e-14, gtol=1e-14)
            for p in starts
        ),
        key=lambda found: float(found.cost),
    )
    law = fit(in_size_and_data(sizes, loss)).law
    assert [law.height, *law.exponents, law.floor] == pytest.approx(list(best.x), rel=1e-5)


@given(
    factor=st.floats(0.01, 1e3),
    exponent=st.floats(0.05, 3),
    floor=st.floats(0, 5),
    unit=st.floats(1e-3, 1e6),
)
@settings(deadline=None, max_examples=50)
def test_exact_points_give_their_constants_back(factor: float, exponent: float, floor: float, unit: float) -> None:
    t = unit * np.geomspace(1, 100, 9)
    loss = factor * (t / unit) ** -exponent + floor
    law = fit(in_time(t, loss)).law
    assert law.loss(t[:, None]) == pytest.approx(loss, rel=1e-6)
    if factor > floor / 100:
        assert law.exponents[0] == pytest.approx(exponent, rel=1e-3)
        assert law.floor == pytest.approx(floor, rel=1e-3, abs=1e-3 * factor)


@given(time=st.floats(1e-4, 1e8), size=st.floats(1e-4, 1e4), series=st.sampled_from(["roco", "roco_medpix", "pmc_vqa"]))
@settings(deadline=None, max_examples=30)
def test_units_of_time_and_loss_change_the_constants_only_as_units_do(time: float, size: float, series: str) -> None:
    t, loss = curve(series)
    plain, scaled = fit(in_time(t, loss)).law, fit(in_time(time * t, size * loss)).law
    assert scaled.exponents == pytest.approx(plain.exponents, rel=1e-4)
    assert scaled.floor == pytest.approx(size * plain.floor, rel=1e-5)
    assert scaled.log_factor == pytest.approx(
        plain.log_factor + np.log(size) + plain.exponents[0] * np.log(time), abs=1e-3
    )


def test_a_grid_of_starts_finds_the_lowest_of_several_minima() -> None:
    # a steep fall at once, or a slow one over all points: two minima in the exponent
    t = np.array([1.0, 2, 4, 8, 16, 32, 64, 128])
    loss = np.array([3.0, 2.0, 2.02, 1.99, 2.01, 1.98, 1.9, 1.6])
    _, b, _, squares = by_grid(t, loss)
    found = fit(in_time(t, loss))
    assert found.squares == pytest.approx(squares)
    assert found.law.exponents[0] == pytest.approx(b, rel=1e-3)

    def residuals(p: FloatArray) -> FloatArray:
        left: FloatArray = p[0] * t ** -p[1] + p[2] - loss
        return left

    stuck = least_squares(residuals, (1.0, 9.9, 0.1), bounds=(0, [10, 10, 10]))
    assert 2 * stuck.cost >= found.squares * (1 - 1e-9)


def test_one_outlier_does_not_move_the_robust_fit() -> None:
    t = np.arange(1.0, 21)
    rng = np.random.default_rng(0)
    loss = t**-0.8 + 2 + rng.normal(0, 0.003, len(t))
    loss[14] += 1.0
    plain, robust = fit(in_time(t, loss)), fit(in_time(t, loss), robust=True)
    assert abs(robust.law.floor - 2) < 0.03 < abs(plain.law.floor - 2)
    assert robust.weights[14] < 0.01
    assert np.median(robust.weights) == 1


def test_without_outliers_of_note_the_robust_fit_is_nearly_the_plain_one() -> None:
    t = np.arange(1.0, 31)
    loss = t**-0.8 + 2 + np.random.default_rng(1).normal(0, 0.003, len(t))
    plain, robust = fit(in_time(t, loss)), fit(in_time(t, loss), robust=True)
    assert robust.law.floor == pytest.approx(plain.law.floor, abs=0.01)


def test_a_loss_that_only_rises_is_no_fall() -> None:
    found = fit(in_time(np.arange(1.0, 8), np.linspace(1, 2, 7)))
    assert not found.law.falls
    assert found.law.loss(np.array([[100.0]]))[0] == pytest.approx(1.5)
    with pytest.raises(DataError, match="The loss does not fall with t in these points"):
        require_falling(found, 0)


def test_laws_are_written_in_their_usual_letters() -> None:
    assert written(("t",)) == "L(t) = a·t^−b + c"
    assert written(("x", "d")) == "L(X, D) = A·X^−α·D^−β + E"
    assert written(("d",)) == "L(D) = A·D^−β + E"
