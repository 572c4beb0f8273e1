"""Paired tests against scipy, statsmodels and published figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from radvqa.errors import RadvqaError
from radvqa.scoring.paired import detectable_difference, holm, paired_test

RANDOM = np.random.default_rng(3)
N = 400
CLUSTER = np.repeat(np.arange(80), 5)
FIRST = (RANDOM.random(N) < 0.75).astype(np.float64)
SECOND = np.where(RANDOM.random(N) < 0.8, FIRST, 1 - FIRST)


def test_mcnemar_equals_statsmodels() -> None:
    table = [[int(np.count_nonzero((a == FIRST) & (b == SECOND))) for b in (1, 0)] for a in (1, 0)]
    found = paired_test(FIRST, SECOND, CLUSTER, resamples=50)
    assert found.mcnemar_p == pytest.approx(mcnemar(table, exact=True).pvalue)
    assert (found.only_first, found.only_second) == (table[0][1], table[1][0])
    assert found.difference == pytest.approx(FIRST.mean() - SECOND.mean())
    assert (found.questions, found.clusters) == (400, 80)


def test_swapping_the_two_turns_the_sign_only() -> None:
    one, other = paired_test(FIRST, SECOND, CLUSTER), paired_test(SECOND, FIRST, CLUSTER)
    assert one.difference == -other.difference
    assert one.mcnemar_p == pytest.approx(other.mcnemar_p)
    assert one.bootstrap_p == other.bootstrap_p
    assert one.detectable == pytest.approx(other.detectable)


def test_equal_answerers_do_not_differ() -> None:
    found = paired_test(FIRST, FIRST, CLUSTER)
    assert (found.difference, found.mcnemar_p, found.bootstrap_p, found.interval) == (0, 1, 1, (0, 0))


def test_a_clear_difference_is_found_by_both_tests() -> None:
    better = np.ones(N)
    found = paired_test(better, (RANDOM.random(N) < 0.6).astype(np.float64), CLUSTER)
    assert found.mcnemar_p < 1e-6
    assert found.bootstrap_p == pytest.approx(2 / 2001)  # no resample reaches zero
    assert found.interval is not None
    assert found.interval[0] > 0
    assert found.only_second == 0


def test_means_over_seeds_have_no_mcnemar_test() -> None:
    assert np.isnan(paired_test(FIRST / 3, SECOND, CLUSTER, resamples=20).mcnemar_p)


def test_one_cluster_says_what_it_can() -> None:
    found = paired_test(FIRST, SECOND, np.zeros(N, dtype=np.intp))
    assert found.interval is None
    assert found.bootstrap_p is None
    assert np.isnan(found.detectable)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(RadvqaError, match="same questions"):
        paired_test(FIRST, SECOND[1:], CLUSTER)
    with pytest.raises(RadvqaError, match="same questions"):
        paired_test(FIRST[:0], SECOND[:0], CLUSTER[:0])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_equals_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


@pytest.mark.parametrize(("questions", "points"), [(1061, 3.8), (451, 5.9)])
def test_what_the_published_test_sets_can_show(questions: int, points: float) -> None:
    assert round(100 * detectable_difference(questions), 1) == points


def test_the_detectable_difference_is_found_four_times_in_five() -> None:
    """Simulate test sets in which one model is truly better by just the detectable difference."""
    n, truth = 400, detectable_difference(400)
    dice = np.random.default_rng(0)
    found = 0
    for _ in range(300):
        draw = dice.random(n)  # a share of 0.2 is answered by one of the two only
        wins = (draw < 0.1 + truth / 2).astype(np.float64)
        losses = ((draw >= 0.1 + truth / 2) & (draw < 0.2)).astype(np.float64)
        difference = wins - losses
        found += abs(difference.mean()) > 1.96 * difference.std(ddof=1) / n**0.5
    assert 0.72 < found / 300 < 0.88
