"""Votes of several models: by hand on small ballots, and as properties of any."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radvqa import ensembling
from radvqa.ensembling import Vote
from radvqa.errors import DataError
from radvqa.prediction import Prediction


def said(id_: str, gold: str, *candidates: tuple[str, float], question: str = "Which organ?") -> Prediction:
    text, confidence = candidates[0]
    return Prediction(id_, question, gold, text, "OPEN", confidence=confidence, candidates=candidates)


def wrote(id_: str, gold: str, answer: str, confidence: float | None) -> Prediction:
    return Prediction(id_, "Which organ?", gold, answer, "OPEN", confidence=confidence)


def equal(members: int) -> Vote:
    return Vote(tuple([1 / members] * members), tuple([1.0] * members))


def test_answers_are_joined_after_the_normaliser_and_what_is_left_unsaid_goes_to_none() -> None:
    classifier = [said("1", "Lung", ("Liver", 0.5), ("lung", 0.4))]
    writer = [wrote("1", "Lung", "Lung.", 0.6)]  # 0.4 is left unsaid
    voted = ensembling.answer(ensembling.ballots([classifier, writer], "seed000"), equal(2))[0]
    # lung: (0.4 + 0.6) / 2, liver: (0.5 + 0) / 2; spelled as the first member does
    assert (voted.prediction, voted.confidence) == ("lung", 0.5)
    assert voted.candidates == (("lung", 0.5), ("Liver", 0.25))
    assert (voted.answer, voted.missing) == ("Lung", False)


def test_spellings_of_one_member_are_added_up() -> None:
    member = [said("1", "x ray", ("CT", 0.4), ("x ray", 0.3), ("X Ray", 0.2))]
    voted = ensembling.answer(ensembling.ballots([member], "seed000"), equal(1))[0]
    assert voted.candidates == (("x ray", 0.5), ("CT", 0.4))


def test_who_tells_no_confidence_is_sure_and_who_gives_no_answer_does_not_vote() -> None:
    sure = [wrote("1", "a", "a", None), wrote("2", "a", "a", None)]
    silent = [
        Prediction("1", "Which organ?", "a", "", "OPEN", missing=True),
        wrote("2", "a", "b", 0.9),
    ]
    voted = ensembling.answer(ensembling.ballots([sure, silent], "seed000"), Vote((0.25, 0.75), (1, 1)))
    assert [(p.prediction, p.confidence) for p in voted] == [("a", 0.25), ("b", 0.675)]
    nobody = ensembling.answer(ensembling.ballots([silent, silent], "seed000"), equal(2))[0]
    assert (nobody.prediction, nobody.missing, nobody.confidence) == ("", True, 0.0)


def test_a_temperature_moves_what_is_unsaid_as_if_it_were_an_answer() -> None:
    known = ensembling.ballots([[wrote("1", "a", "a", 0.9)]], "seed000")
    voted = ensembling.answer(known, Vote((1.0,), (2.0,)))[0]
    # the log-odds are halved: sqrt(0.9) / (sqrt(0.9) + sqrt(0.1)) = 3 / (3 + 1)
    assert voted.confidence == pytest.approx(0.75, abs=1e-6)


def test_the_weights_follow_who_is_right_where_it_counts() -> None:
    """The first member is right on open questions at little confidence, the second on closed ones, surely."""
    first = [wrote(str(n), "a", "a" if n < 5 else "b", 0.55) for n in range(10)]
    second = [wrote(str(n), "a", "c" if n < 5 else "a", 0.5 if n < 5 else 0.9) for n in range(10)]
    chosen = ensembling.choose(ensembling.ballots([first, second], "seed000"))
    assert chosen.alone == (0.5, 0.5)
    assert chosen.accuracy == 1.0
    assert chosen.equal == 1.0
    assert sum(chosen.vote.weights) == pytest.approx(1)
    assert min(chosen.vote.weights) > 0


def test_a_member_that_only_harms_gets_no_weight() -> None:
    good = [wrote(str(n), "a", "a", 0.6) for n in range(8)]
    bad = [wrote(str(n), "a", "b", 0.99) for n in range(8)]
    chosen = ensembling.choose(ensembling.ballots([good, bad], "seed000"))
    assert (chosen.accuracy, chosen.alone, chosen.equal) == (1.0, (1.0, 0.0), 0.0)
    assert chosen.vote.weights == (1.0, 0.0)


def test_a_member_that_is_too_sure_is_flattened_as_calibration_would() -> None:
    """Right on 7 of 10 at confidence 0.99: the best temperature makes it 0.7."""
    member = [wrote(str(n), "a", "a" if n < 7 else "b", 0.99) for n in range(10)]
    chosen = ensembling.choose(ensembling.ballots([member, member], "seed000"))
    wanted = math.log(0.99 / 0.01) / math.log(0.7 / 0.3)
    assert chosen.vote.temperatures == pytest.approx((wanted, wanted), rel=0.01)


def test_different_questions_are_refused() -> None:
    one = [wrote("1", "a", "a", 1.0), wrote("2", "a", "a", 1.0)]
    with pytest.raises(DataError, match="2 and 1; 2 is answered by one of them only"):
        ensembling.ballots([one, one[:1]], "seed000")
    with pytest.raises(DataError, match=r"under the id 2: .* gold 'a' and 'b'"):
        ensembling.ballots([one, [one[0], wrote("2", "b", "a", 1.0)]], "seed000")
    with pytest.raises(DataError, match="no predictions to join"):
        ensembling.ballots([[], []], "seed000")


@st.composite
def member_answers(draw: st.DrawFn, questions: int) -> list[Prediction]:
    found = []
    for number in range(questions):
        given_ = draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True))
        shares = draw(st.lists(st.floats(0.01, 1), min_size=len(given_), max_size=len(given_)))
        scale = draw(st.floats(0.3, 1)) / sum(shares)
        ranked = sorted(zip(given_, (share * scale for share in shares), strict=True), key=lambda pair: -pair[1])
        found.append(said(str(number), "abc"[number % 3], *ranked))
    return found


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_choice_is_never_worse_than_a_member_or_equal_weights_where_it_was_made(data: st.DataObject) -> None:
    members = [data.draw(member_answers(6)) for _ in range(data.draw(st.integers(2, 3)))]
    known = ensembling.ballots(members, "seed000")
    chosen = ensembling.choose(known)
    assert chosen.accuracy >= max(*chosen.alone, chosen.equal)
    voted = ensembling.answer(known, chosen.vote)
    assert sum(p.prediction == p.answer for p in voted) / len(voted) == pytest.approx(chosen.accuracy)
    for p in voted:
        assert p.confidence is not None
        assert 0 <= p.confidence <= 1
        assert sum(votes for _, votes in p.candidates) <= 1 + 1e-5
        assert [votes for _, votes in p.candidates] == sorted((votes for _, votes in p.candidates), reverse=True)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_equal_members_answer_as_one_of_them(data: st.DataObject) -> None:
    member = data.draw(member_answers(4))
    alone = ensembling.answer(ensembling.ballots([member], "seed000"), equal(1))
    together = ensembling.answer(ensembling.ballots([member, member], "seed000"), equal(2))
    assert [p.prediction for p in together] == [p.prediction for p in alone]
    np.testing.assert_allclose([p.confidence or 0 for p in together], [p.confidence or 0 for p in alone], atol=1e-6)


def test_the_order_of_a_members_rows_does_not_matter() -> None:
    one = [wrote("1", "a", "a", 0.9), wrote("2", "b", "b", 0.4)]
    known = ensembling.ballots([one, one[::-1]], "seed000")
    assert [p.prediction for p in ensembling.answer(known, equal(2))] == ["a", "b"]


@pytest.mark.parametrize("members", [1, 2, 3, 5, 8, 20])
def test_the_grid_holds_equal_weights_and_each_member_alone_and_stays_small(members: int) -> None:
    grid = list(ensembling._grid(members))
    assert grid[0] == pytest.approx([1 / members] * members)
    assert all(sum(weights) == pytest.approx(1) and min(weights) >= 0 for weights in grid)
    corners = {tuple(float(place == member) for place in range(members)) for member in range(members)}
    assert corners <= set(grid)
    assert len(grid) <= 5001
