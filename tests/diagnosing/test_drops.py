"""The statistics of groups: by hand, against the one clustered error of scoring, and against the bootstrap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_answers import answers
from scipy import stats

from radvqa.diagnosing.drops import drops
from radvqa.diagnosing.groups import cut, membership
from radvqa.diagnosing.material import Material, material
from radvqa.diagnosing.ranking import adjusted, ranked
from radvqa.scoring.statistics import FloatArray, IntArray, Statistic, clustered_standard_error, resampled


def group(*rows: int) -> IntArray:
    return np.array(rows, np.intp)


def test_a_drop_by_hand() -> None:
    # pictures a, b, c, d with two questions each; the group is all of a and b
    right = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0])
    cluster = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    found = drops(right, cluster, membership([group(0, 1, 2, 3)], 8))
    assert (found.n[0], found.clusters[0], found.accuracy[0], found.rest[0]) == (4, 2, 0.25, 0.75)
    assert found.drop[0] == 0.5
    # residuals by picture: (1 - 0.5) / 4, (0 - 0.5) / 4 and the same outside; times 2 / (2 - 1)
    clustered = 2 * 4 * (0.5 / 4) ** 2
    shifted = [3 / 8 * 5 / 8 / 8, 5 / 8 * 3 / 8 / 8]  # two right and two wrong ones more on each side
    error = np.sqrt(max(clustered, sum(shifted)))
    assert found.error[0] == pytest.approx(error)
    width = stats.t.ppf(0.975, 1) * error
    assert (found.low[0], found.high[0]) == (pytest.approx(max(-1, 0.5 - width)), pytest.approx(min(1, 0.5 + width)))
    assert found.p[0] == pytest.approx(2 * stats.t.sf(0.5 / error, 1))


def test_the_error_is_that_of_scoring_where_nothing_is_compared() -> None:
    """Against a side that is always right the clustered error is that of one accuracy."""
    draw = np.random.default_rng(3)
    cluster = np.repeat(np.arange(80), 10)
    right = np.where(cluster < 40, draw.random(800) < 0.2 + 0.6 * draw.random(80)[cluster], 1.0).astype(float)
    inside = np.flatnonzero(cluster < 40)
    found = drops(right, cluster, membership([inside], 800))
    expected = clustered_standard_error(right[inside], cluster[inside])
    rest = 402 / 404 * 2 / 404 / 404  # the least variance of the other side
    assert expected is not None
    assert found.error[0] == pytest.approx(expected, rel=1e-9)
    assert rest < expected**2


class _Difference:
    """Mean outside minus mean inside, for the bootstrap."""

    def __init__(self, right: FloatArray, inside: FloatArray) -> None:
        self.right, self.inside = right, inside

    def totals(self, cluster: IntArray, clusters: int) -> FloatArray:
        columns = (self.right * self.inside, self.inside, self.right * (1 - self.inside), 1 - self.inside)
        return np.stack([np.bincount(cluster, column, clusters) for column in columns])

    def combine(self, totals: FloatArray) -> FloatArray:
        difference: FloatArray = totals[2] / totals[3] - totals[0] / totals[1]
        return difference


def test_the_error_is_the_bootstraps() -> None:
    made = material(answers(120, luck=0.3, chance=lambda p: 0.5 if p.question_type == "Position" else 0.75))
    inside = np.array([p.question_type == "Position" for p in made.predictions], float)
    statistic: Statistic = _Difference(made.right, inside)
    drawn = resampled({"": statistic}, made.cluster, 2000, 1)[""]
    assert drawn is not None
    found = drops(made.right, made.cluster, membership([np.flatnonzero(inside)], len(made)))
    assert found.error[0] == pytest.approx(float(drawn.std()), rel=0.1)


def test_a_group_without_a_right_answer_is_not_certain() -> None:
    right = np.array([0.0] * 6 + [1.0] * 60)
    found = drops(right, np.arange(66), membership([np.arange(6)], 66))
    assert found.error[0] > 0.1
    assert 0 < found.p[0] < 0.05


def test_one_cluster_says_nothing() -> None:
    right = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    found = drops(right, np.array([0, 0, 0, 1, 2, 3]), membership([np.arange(3)], 6))
    assert (found.p[0], found.low[0], found.high[0]) == (1.0, -1.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_adjusting_keeps_the_order_and_never_lowers(p_values: list[float]) -> None:
    p = np.array(p_values)
    found = adjusted(p)
    assert (found >= p - 1e-12).all()
    assert (found <= 1).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(found[order]) >= -1e-12).all()
    # by hand: the least of p · m / rank from here on
    many = len(p)
    by_hand = [min(min(1.0, p[order[j]] * many / (j + 1)) for j in range(i, many)) for i in range(many)]
    assert found[order] == pytest.approx(by_hand)


def planted(seed: int, kind: str, organ: str) -> Material:
    def chance(p: object) -> float:
        return 0.1 if (getattr(p, "question_type", ""), getattr(p, "organ", "")) == (kind, organ) else 0.85

    return material(answers(90, chance=chance, seed=seed))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["Organ", "Position"]), st.sampled_from(["Lung", "Liver", "Brain"]))
def test_a_planted_failure_is_ranked_first(seed: int, kind: str, organ: str) -> None:
    made = planted(seed, kind, organ)
    found = ranked(made, cut(made))
    first = found.failing[0]
    planted_rows = {r for r, p in enumerate(made.predictions) if (p.question_type, p.organ) == (kind, organ)}
    assert first.sure
    assert set(first.group.rows.tolist()) == planted_rows
    assert first.new_wrong == first.wrong
    assert first.interval[0] > 0.3


def test_without_a_failure_little_is_called_sure() -> None:
    called = []
    for seed in range(40):
        made = material(answers(60, seed=seed, luck=0.2))
        called.append(sum(one.sure for one in ranked(made, cut(made)).failing) > 0)
    assert np.mean(called) <= 0.125  # 5 % of the tests; so many of 40 with a chance of 3 %


def test_a_pair_that_says_no_more_than_its_parts_is_folded() -> None:
    made = material(answers(90, chance=lambda p: 0.3 if p.question_type == "Position" else 0.9, seed=5))
    found = ranked(made, cut(made))
    titles = [one.group.title for one in found.failing if one.sure]
    assert "Question type: Position" in titles[0]
    assert not any("Position" in title and " and " in title for title in titles)
    assert found.worse_inside > 0


def test_groups_that_are_the_same_questions_are_tested_once() -> None:
    made = material(answers(60))
    cuts = cut(made)
    titles = [group.title for group in cuts.groups]
    assert "Question type: Size" in titles
    assert "Answer type: CLOSED" not in titles  # the same questions
    assert cuts.left_out > 0
    rows = [frozenset(group.rows.tolist()) for group in cuts.groups]
    assert all(len(a & b) / len(a | b) < 0.95 for i, a in enumerate(rows) for b in rows[:i])


def test_small_groups_and_pairs_can_be_left_out() -> None:
    made = material(answers(30))
    assert all(len(group.rows) >= 40 for group in cut(made, fewest=40).groups)
    assert all(len(group.parts) == 1 for group in cut(made, pairs=False).groups)
    assert cut(made, fewest=1000).groups == ()
    assert ranked(made, cut(made, fewest=1000)).failing == ()
