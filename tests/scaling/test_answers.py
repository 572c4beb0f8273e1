"""What a law answers, and what it refuses to answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published import curve, in_size_and_data, in_time, points

from radvqa.errors import DataError
from radvqa.scaling import answers, intervals
from radvqa.scaling.doubts import doubts
from radvqa.scaling.fit import Fit, fit
from radvqa.scaling.points import Points
from radvqa.scaling.summary import summarise


def said(found: Fit) -> str:
    exponents = [intervals.exponent(found, j) for j in range(len(found.points.names))]
    return " ".join(doubts(found, exponents, intervals.floor(found)))


def seeds_log() -> Points:
    """Steps 4 to 4,612 of the law that seed 002's training log follows: 18.72·t^−0.336 + 5.05, floor above target."""
    t = np.geomspace(4, 4612, 60)
    return in_time(t, 18.72 * t**-0.336 + 5.05 + np.random.default_rng(0).normal(0, 0.02, 60))


def test_a_target_below_the_floor_is_refused_with_the_floor_and_its_interval() -> None:
    """The seed asked its law with floor 5.05 for a loss of 3.5."""
    found = fit(seeds_log())
    low, high = intervals.floor(found)
    with pytest.raises(DataError) as caught:
        answers.needed(found, 3.5)
    assert str(caught.value) == (
        f"The target 3.5 is not above the fitted floor c = {found.law.floor:.4g} [{low:.4g}, {high:.4g}]: by this law "
        f"no amount of t reaches it."
    )
    assert found.law.floor == pytest.approx(5.05, abs=0.1)


def test_the_floor_itself_is_refused_and_a_hair_above_it_is_not() -> None:
    found = fit(points("roco"))
    with pytest.raises(DataError, match="is not above the fitted floor"):
        answers.needed(found, found.law.floor)
    assert answers.needed(found, found.law.floor + 1e-4)["needed"] > 100


def test_a_target_above_the_floor_is_answered() -> None:
    """The seed's guard was inverted: it called reachable targets too high and returned NaN for the others."""
    answer = answers.needed(fit(seeds_log()), 6.0)
    assert answer["needed"] == pytest.approx((0.95 / 18.72) ** (-1 / 0.336), rel=0.05)
    low, high = answer["interval"]
    assert low < answer["needed"] < high
    assert answer["beyond"]["t"] == pytest.approx(answer["needed"] / 4612)


@given(share=st.floats(0.001, 0.999), series=st.sampled_from(["roco", "roco_medpix", "mimic_cxr_vqa", "pmc_vqa"]))
@settings(deadline=None, max_examples=25)
def test_prediction_undoes_what_a_target_needs_above_the_floor(share: float, series: str) -> None:
    t, loss = curve(series)
    law = fit(in_time(t, loss)).law
    target = law.floor + share * (loss.max() - law.floor)
    place = np.exp([[law.log_needed(target, [1.0], 0)]])
    assert law.loss(place)[0] == pytest.approx(target, rel=1e-9)


def of_size_and_data() -> Fit:
    sizes = np.array([(x, d) for x in (1e6, 4e6) for d in (500.0, 1000, 2000, 4000)])
    rng = np.random.default_rng(2)
    return fit(
        in_size_and_data(sizes, 40 * sizes[:, 0] ** -0.12 * sizes[:, 1] ** -0.25 + 0.7 + rng.normal(0, 0.005, 8))
    )


@given(x=st.floats(1e5, 1e8), target=st.floats(0.8, 3.0))
@settings(deadline=None, max_examples=25)
def test_data_are_asked_for_at_the_size_that_is_held(x: float, target: float) -> None:
    found = of_size_and_data()
    if target > found.law.floor:
        d = np.exp(found.law.log_needed(target, [x, 1.0], 1))
        assert found.law.loss(np.array([[x, d]]))[0] == pytest.approx(target, rel=1e-9)


def test_the_largest_size_is_held_by_default_and_another_when_asked() -> None:
    found = of_size_and_data()
    largest, small = answers.needed(found, 1.5), answers.needed(found, 1.5, hold=1e6)
    assert (largest["held"], small["held"]) == ({"x": 4e6}, {"x": 1e6})
    assert small["needed"] > largest["needed"]
    assert answers.needed(found, 1.5, hold=4e7)["beyond"]["x"] == pytest.approx(10)


def test_a_loss_is_predicted_with_its_interval_and_how_far_it_lies() -> None:
    found = of_size_and_data()
    inside = answers.predicted(found, {"x": 2e6, "d": 1000})
    assert inside["beyond"] == {}
    assert inside["interval"][0] < inside["loss"] < inside["interval"][1]
    assert inside["loss"] == pytest.approx(40 * 2e6**-0.12 * 1000**-0.25 + 0.7, abs=0.02)
    outside = answers.predicted(found, {"x": 2e6, "d": 40_000})
    assert outside["beyond"] == {"d": pytest.approx(10)}
    assert (
        "D = 40,000 is an extrapolation, 10 times above what was observed (4,000)"
        in answers.warnings(found, outside)[0]
    )
    below = answers.predicted(found, {"x": 2e6, "d": 50})
    assert "D = 50 is an extrapolation, 10 times below what was observed (500)" in answers.warnings(found, below)[0]


@pytest.mark.parametrize("place", [{"d": 5.0}, {"t": 5.0}, {"x": 1.0, "d": 0.0}, {"x": 1.0, "d": float("nan")}])
def test_a_place_that_is_none_of_the_laws_is_refused(place: dict[str, float]) -> None:
    with pytest.raises(DataError, match=r"predicted at x=… and d=…|no place of a law"):
        answers.predicted(of_size_and_data(), place)


def test_a_target_inside_the_floors_interval_has_no_upper_limit_and_is_told_so() -> None:
    found = fit(points("roco"))
    answer = answers.needed(found, 2.03)
    assert answer["interval"][1] is None
    assert any("lies inside the interval of the floor [2.001, 2.039]" in s for s in answers.warnings(found, answer))


def test_a_size_to_hold_means_nothing_in_one_variable() -> None:
    with pytest.raises(DataError, match="this law is in t alone"):
        answers.needed(fit(points("roco")), 2.05, hold=1e6)


@pytest.mark.parametrize("target", [0.0, -1.0, float("nan")])
def test_a_target_that_is_no_loss_is_refused(target: float) -> None:
    with pytest.raises(DataError, match="is no loss"):
        answers.needed(fit(points("roco")), target)


def test_a_target_beyond_all_numbers_is_refused() -> None:
    t = np.geomspace(1, 100, 12)
    found = fit(in_time(t, t**-0.012 + 1))
    with pytest.raises(DataError, match="more or less t than can be written as a number"):
        answers.needed(found, found.law.floor + 1e-9)


def test_a_place_where_the_loss_is_no_number_is_refused() -> None:
    with pytest.raises(DataError, match="so far outside of the points that it is no number"):
        answers.predicted(fit(points("pmc_vqa")), {"t": 1e-200})


def test_nothing_is_solved_for_where_the_loss_does_not_fall() -> None:
    found = fit(in_time(np.arange(1.0, 8), np.linspace(1, 2, 7)))
    with pytest.raises(DataError, match="does not fall with t"):
        answers.needed(found, 1.2)
    assert "The loss does not fall with t in these points: the best law is the constant 1.5" in said(found)


def test_overfitting_is_said_and_leaving_it_out_is_offered() -> None:
    """MedPix falls for four epochs and rises for six."""
    text = said(fit(points("medpix")))
    assert "The loss rises again: from 2.387 at t = 4 to 2.608 at t = 10." in text
    assert "--to-lowest" in text
    assert "these points do not show that t matters" in text
    assert "Neighbouring residuals are alike" in text
    assert "rises" not in said(fit(points("medpix").to_lowest()))


def test_a_curve_that_falls_to_its_end_is_not_said_to_rise() -> None:
    for series in ("mimic_cxr_vqa", "pmc_vqa", "slake"):
        assert "rises" not in said(fit(points(series)))
    assert "rises" not in said(fit(points("roco_medpix")))  # one point after the lowest is noise


def test_few_points_and_open_constants_are_said() -> None:
    text = said(fit(points("medpix", 5)))
    assert "5 points for 3 constants leave 2 to judge the scatter by" in text
    assert "The interval of c reaches 0: these points do not show whether there is a floor." in text


def test_noise_alone_is_rarely_called_a_pattern() -> None:
    t, called = np.geomspace(1, 100, 20), 0
    for seed in range(100):
        loss = t**-0.8 + 2 + np.random.default_rng(seed).normal(0, 0.01, 20)
        found = fit(in_time(t, loss))
        called += "Neighbouring residuals" in " ".join(doubts(found, [(0.5, 1.0)], (1.0, 2.0)))
    assert called <= 10


def test_outliers_are_named() -> None:
    t = np.arange(1.0, 13)
    loss = t**-0.8 + 2 + np.random.default_rng(0).normal(0, 0.003, 12)
    loss[6] += 0.5
    assert "Outliers that count less than half: t 7" in said(fit(in_time(t, loss), robust=True))


def test_a_summary_is_plain_values_and_complete() -> None:
    found = fit(points("roco"))
    summary = summarise(found, targets=[2.05], places=[{"t": 20.0}], resamples=99)
    assert [c["name"] for c in summary["constants"]] == ["a", "b", "c"]
    assert summary["constants"][0]["value"] == pytest.approx(np.exp(found.law.log_factor))
    assert sum(p["residual"] ** 2 for p in summary["points"]) == pytest.approx(found.squares)
    assert summary["scatter"] == pytest.approx((found.squares / 7) ** 0.5)
    (line,) = summary["curves"]
    assert {1.0, 10.0} <= set(line["at"])
    assert max(line["at"]) > 20
    row = line["at"].index(10.0)
    assert line["low"][row] < line["loss"][row] < line["high"][row]


def test_a_law_in_size_and_data_is_drawn_at_every_size() -> None:
    summary = summarise(of_size_and_data(), targets=[1.5], resamples=99)
    assert [c["held"] for c in summary["curves"]] == [{"x": 1e6}, {"x": 4e6}]
    assert [c["name"] for c in summary["constants"]] == ["A", "α", "β", "E"]
