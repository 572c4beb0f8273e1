"""What judgements come to."""

import pytest

from radvqa.serving.judgements.judgement import Judgement, Verdict
from radvqa.serving.judgements.summary import summary


def judgement(number: int, verdict: Verdict, reader: str = "Ann", *, gold: str | None = None, **more: str) -> Judgement:
    return Judgement(
        f"token-{number}-{reader}", reader, verdict, "starter", f"p{number}", "Q?", more.get("answer", "CT"), gold=gold
    )


def test_an_answer_on_which_readers_differ_counts_in_part() -> None:
    said = [
        *(judgement(number, "right") for number in range(6)),
        *(judgement(number, "wrong") for number in range(6, 9)),
        judgement(9, "unsure"),
        judgement(0, "wrong", "Bob"),
        judgement(1, "right", "Bob"),
    ]
    (model,) = summary(said)["models"]
    assert (model["right"], model["wrong"], model["unsure"], model["answers"]) == (7, 4, 1, 9)
    assert model["share"] == pytest.approx(5.5 / 9, abs=1e-6)
    low, high = model["interval"]
    assert low < model["share"] < high
    assert summary(said)["agreement"] == [{"reviewers": ("Ann", "Bob"), "pairs": 2, "same": 0.5, "kappa": 0.0}]


def test_readers_against_the_stored_answers() -> None:
    said = [
        judgement(0, "right", gold="ct"),
        judgement(1, "right", gold="MRI"),
        judgement(2, "wrong", gold="MRI"),
        judgement(3, "wrong", gold="CT"),
        judgement(4, "unsure", gold="CT"),
        judgement(5, "right"),
    ]
    (model,) = summary(said)["models"]
    assert model["automatic"] == {"judgements": 4, "same": 0.5, "kappa": 0.0, "reader_only": 1, "score_only": 1}


def test_where_all_are_held_alike_no_interval_is_claimed() -> None:
    (model,) = summary([judgement(number, "right") for number in range(5)])["models"]
    assert (model["share"], model["interval"]) == (1.0, None)


def test_nothing_judged() -> None:
    assert summary([]) == {"judgements": 0, "readers": {}, "models": [], "agreement": []}
