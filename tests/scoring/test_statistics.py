"""The bootstrap against a slow one written out, and against what is known about it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from statsmodels.regression.linear_model import OLS

from radvqa.errors import RadvqaError
from radvqa.scoring import statistics
from radvqa.scoring.statistics import (
    MacroF1,
    Mean,
    SeedSummary,
    Within,
    cluster_intervals,
    clustered_standard_error,
    over_seeds,
    value,
)

RANDOM = np.random.default_rng(7)
N = 120
CLUSTER = RANDOM.integers(0, 25, N)
VALUES = (RANDOM.random(N) < 0.7).astype(np.float64)
GOLD = RANDOM.integers(0, 8, N)
ANSWER = np.where(RANDOM.random(N) < 0.6, GOLD, RANDOM.integers(0, 10, N))


def drawn_items(cluster: statistics.IntArray, resamples: int, seed: int) -> list[statistics.IntArray]:
    """Return the items of each resample, cluster by cluster, as the definition has it."""
    random = np.random.default_rng(seed)
    known = np.unique(cluster)
    return [
        np.concatenate([np.flatnonzero(cluster == known[c]) for c in random.integers(0, len(known), len(known))])
        for _ in range(resamples)
    ]


@pytest.mark.parametrize("cells", [1, 70, 1 << 18])
def test_intervals_equal_a_bootstrap_written_out(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "_CELLS", cells)
    found = cluster_intervals({"mean": Mean(VALUES), "f1": MacroF1(GOLD, ANSWER)}, CLUSTER, resamples=60, seed=3)
    resamples = drawn_items(CLUSTER, 60, 3)
    means = [VALUES[rows].mean() for rows in resamples]
    f1 = [
        f1_score(
            GOLD[rows], ANSWER[rows], labels=np.union1d(GOLD[rows], ANSWER[rows]), average="macro", zero_division=0
        )
        for rows in resamples
    ]
    assert found["mean"] == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))
    assert found["f1"] == pytest.approx(tuple(np.quantile(f1, [0.025, 0.975])))


def test_one_item_per_cluster_is_the_unclustered_bootstrap() -> None:
    found = cluster_intervals({"mean": Mean(VALUES)}, np.arange(N), resamples=300, seed=5)["mean"]
    random = np.random.default_rng(5)
    means = [VALUES[random.integers(0, N, N)].mean() for _ in range(300)]
    assert found == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))


def test_alike_answers_within_clusters_widen_the_interval() -> None:
    values = np.repeat((RANDOM.random(40) < 0.5).astype(np.float64), 10)
    together = cluster_intervals({"": Mean(values)}, np.repeat(np.arange(40), 10))[""]
    apart = cluster_intervals({"": Mean(values)}, np.arange(400))[""]
    assert together is not None
    assert apart is not None
    assert together[1] - together[0] > 2 * (apart[1] - apart[0])  # theory: the square root of ten


def test_the_interval_is_as_wide_as_the_normal_approximation_says() -> None:
    values = np.repeat([0.0, 1.0], [300, 700])
    lower, upper = cluster_intervals({"": Mean(values)}, np.arange(1000))[""] or (0, 0)
    half = 1.96 * (0.7 * 0.3 / 1000) ** 0.5
    assert (lower, upper) == pytest.approx((0.7 - half, 0.7 + half), abs=0.003)


def test_the_seed_decides() -> None:
    statistic = {"": Mean(VALUES)}
    once = cluster_intervals(statistic, CLUSTER, resamples=50, seed=1)
    assert once == cluster_intervals(statistic, CLUSTER, resamples=50, seed=1)
    assert once != cluster_intervals(statistic, CLUSTER, resamples=50, seed=2)


def test_one_cluster_has_no_interval() -> None:
    assert cluster_intervals({"": Mean(VALUES)}, np.zeros(N, dtype=np.intp)) == {"": None}


def test_no_resamples_are_refused() -> None:
    with pytest.raises(RadvqaError, match="at least one resample"):
        cluster_intervals({"": Mean(VALUES)}, CLUSTER, resamples=0)


def test_seeds_are_summarised_with_the_sample_deviation() -> None:
    three = over_seeds([0.7, 0.8, 0.9])
    assert three.mean == pytest.approx(0.8)
    assert three.sd == pytest.approx(0.1)
    assert three.n == 3
    assert over_seeds([0.5, 0.7]).sd == pytest.approx(0.02**0.5)
    assert over_seeds([0.7]) == SeedSummary(0.7, None, 1)
    with pytest.raises(RadvqaError, match="no seeds"):
        over_seeds([])


def test_statistics_within_rows_equal_a_bootstrap_written_out() -> None:
    rows = np.flatnonzero(RANDOM.random(N) < 0.3)
    found = cluster_intervals({"part": Within(Mean(VALUES[rows]), rows)}, CLUSTER, resamples=60, seed=3)["part"]
    means = [np.mean(VALUES[drawn[np.isin(drawn, rows)]]) for drawn in drawn_items(CLUSTER, 60, 3)]
    assert found == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))


def test_a_part_that_lies_in_one_cluster_has_no_interval() -> None:
    rows = np.flatnonzero(CLUSTER[0] == CLUSTER)
    found = cluster_intervals({"part": Within(Mean(VALUES[rows]), rows), "whole": Mean(VALUES)}, CLUSTER, resamples=20)
    assert found["part"] is None
    assert found["whole"] is not None


def test_values_that_are_not_defined_are_left_out() -> None:
    values = VALUES.copy()
    values[::3] = np.nan
    assert value(Mean(values), N) == pytest.approx(np.nanmean(values))
    found = cluster_intervals({"": Mean(values)}, CLUSTER, resamples=60, seed=3)[""]
    means = [np.nanmean(values[drawn]) for drawn in drawn_items(CLUSTER, 60, 3)]
    assert found == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))


def test_macro_f1_over_chosen_classes_equals_scikit_learn() -> None:
    chosen = np.unique(GOLD)
    expected = f1_score(GOLD, ANSWER, labels=chosen, average="macro", zero_division=0)
    assert value(MacroF1(GOLD, ANSWER, chosen), N) == pytest.approx(expected)


def test_the_clustered_standard_error_equals_statsmodels() -> None:
    fit = OLS(VALUES, np.ones(N)).fit(cov_type="cluster", cov_kwds={"groups": CLUSTER, "use_correction": False})
    clusters = len(np.unique(CLUSTER))
    expected = fit.bse[0] * np.sqrt(clusters / (clusters - 1))
    assert clustered_standard_error(VALUES, CLUSTER) == pytest.approx(expected)


def test_the_clustered_standard_error_of_single_items_is_the_usual_one() -> None:
    found = clustered_standard_error(VALUES, np.arange(N))
    assert found == pytest.approx(VALUES.std(ddof=1) / N**0.5)
    assert clustered_standard_error(VALUES, np.zeros(N, dtype=np.intp)) is None


@given(st.integers(2, 40))
def test_intervals_shrink_as_the_test_set_grows(copies: int) -> None:
    """The same answers on many times as many images: the standard error falls with the square root."""
    values = np.tile(VALUES, copies)
    cluster = np.concatenate([CLUSTER + 100 * copy for copy in range(copies)])
    few, many = clustered_standard_error(VALUES, CLUSTER), clustered_standard_error(values, cluster)
    assert few is not None
    assert many is not None
    assert many < few
    assert many == pytest.approx(few / copies**0.5, rel=0.03)
