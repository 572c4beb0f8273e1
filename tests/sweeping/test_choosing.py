"""Choosing a setting, and what the spread over seeds says about the choice."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radvqa.errors import RadvqaError
from radvqa.sweeping.choosing import choose, main_effects, spread

fractions = st.lists(st.floats(0, 1), min_size=1, max_size=6)


@given(fractions)
def test_mean_and_sd_are_those_of_numpy(values: list[float]) -> None:
    found = spread(values)
    assert found is not None
    assert found["n"] == len(values)
    assert math.isclose(found["mean"], float(np.mean(values)), abs_tol=1e-12)
    if len(values) == 1:
        assert found["sd"] is None
    else:
        assert math.isclose(found["sd"], float(np.std(values, ddof=1)), abs_tol=1e-9)


def test_a_mean_over_some_of_the_seeds_is_none() -> None:
    assert spread([0.5, None]) is None
    assert spread([]) is None


@given(st.dictionaries(st.text(min_size=1, max_size=3), fractions, min_size=1, max_size=5), st.booleans())
def test_the_best_mean_is_chosen(values: dict[str, list[float]], smaller: bool) -> None:
    choice = choose(values, smaller_is_better=smaller)
    means = {name: sum(found) / len(found) for name, found in values.items()}
    best = min(means.values()) if smaller else max(means.values())
    assert math.isclose(means[choice.best], best, abs_tol=1e-12)
    assert choice.lead >= 0


def test_a_tie_goes_to_the_first_and_is_told() -> None:
    choice = choose({"a": [0.4], "b": [0.6], "c": [0.6]})
    assert (choice.best, choice.tied, choice.lead) == ("b", ("c",), 0)


def test_a_lead_is_held_against_the_spread_over_seeds() -> None:
    close = choose({"a": [0.70, 0.74], "b": [0.71, 0.72]})
    assert (close.best, close.runner_up) == ("a", "b")
    assert close.lead == pytest.approx(0.005)
    assert close.sd == pytest.approx(0.04 / math.sqrt(2))
    assert close.within_the_spread
    assert not choose({"a": [0.90, 0.91], "b": [0.5, 0.51]}).within_the_spread
    assert not choose({"a": [0.9], "b": [0.5]}).within_the_spread, "one seed says nothing of the spread"


def test_a_setting_without_a_value_cannot_be_compared() -> None:
    with pytest.raises(RadvqaError):
        choose({"a": [], "b": [0.5]})


def test_main_effects_average_over_the_other_axes() -> None:
    settings = [
        ({"r": "8", "lr": "1"}, 0.1),
        ({"r": "8", "lr": "2"}, 0.3),
        ({"r": "16", "lr": "1"}, 0.5),
        ({"r": "16", "lr": "2"}, 0.9),
    ]
    found = main_effects({"r": ["8", "16"], "lr": ["1", "2", "3"]}, settings)
    assert {value: summary["mean"] for value, summary in found["r"].items()} == pytest.approx({"8": 0.2, "16": 0.7})
    assert {value: summary["mean"] for value, summary in found["lr"].items()} == pytest.approx({"1": 0.3, "2": 0.6})
    assert found["r"]["16"]["sd"] == pytest.approx(np.std([0.5, 0.9], ddof=1))
