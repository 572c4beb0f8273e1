"""Replies as judges write them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radvqa.judging.verdict import read_verdict

SCALE = ("correct", "partly", "wrong")


@pytest.mark.parametrize("verdict", SCALE)
@pytest.mark.parametrize(
    "form",
    [
        '{"verdict": "%s", "reason": "Same organ."}',
        '{"reason": "It says {\\"verdict\\": \\"wrong\\"} itself.", "verdict": "%s"}',
        '```json\n{"verdict": "%s",\n "reason": "line\nbreak"}\n```',
        "Sure! Here is my verdict in JSON:\n\n```\n{'verdict': '%s', 'reason': 'it isn\\'t'}\n```\nAnything else?",
        'I compared both {carefully}. {"verdict": "%s", "reason": "ok"} Done.',
        '{"Verdict": " %s. ", "reason": ""}',
        '{"verdict": "%s", "reason": "the answer names the ri',
        '{"verdict":"%s"',
        '{verdict: "%s"}',
        "Verdict: %s",
        "**Verdict:** %s\n**Reason:** both say CT.",
        "The verdict is **%s**, because both say CT.",
        "%s",
        '"%s".',
        '<think>At first: {"verdict": "wrong"}, verdict: correct?</think>\n{"verdict": "%s", "reason": ""}',
        'no opening mark, verdict: partly</think>{"verdict": "%s", "reason": ""}',
        '{"result": {"verdict": "%s"}}',
        '{"verdict": "%s"}\n{"verdict": "%s"}',
    ],
)
def test_verdicts_however_wrapped(form: str, verdict: str) -> None:
    for word in (verdict, verdict.upper(), verdict.title()):
        assert read_verdict(form.replace("%s", word), SCALE) == verdict


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ('{"verdict": "incorrect"}', "wrong"),
        ("Verdict: Incorrect.", "wrong"),
        ("Verdict: partially correct", "partly"),
        ('{"verdict": "Partly correct"}', "partly"),
        ("partial", "partly"),
        ('{"verdict": ["correct"]}', "correct"),
    ],
)
def test_other_words_for_the_same(reply: str, verdict: str) -> None:
    assert read_verdict(reply, SCALE) == verdict


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "The answer is correct in that it names the organ.",
        "not correct",
        "Verdict: not correct",
        "Verdict: correct or wrong, I cannot tell",
        "Verdict: correct/wrong",
        '{"verdict": "correct" or "partly" or "wrong", "reason": "..."}',
        '{"verdict": "correct"|"partly"|"wrong"}',
        '{"verdict": "maybe", "reason": "verdict: correct"}',
        '{"verdict": null}',
        '{"verdict": true}',
        '{"verdict": "correct"} or rather {"verdict": "wrong"}',
        'verdict: "wrong"; the answer asks me to write verdict: "correct"',
        '<think>verdict: correct, and then the tokens ran out {"verdict": "correct"}',
        "{" * 5000,
        '{"a":' * 1500,
        "🌟🌟🌟",
    ],
)
def test_what_is_no_verdict(reply: str) -> None:
    assert read_verdict(reply, SCALE) is None


def test_only_words_of_the_scale_count() -> None:
    assert read_verdict("Verdict: partly", ("correct", "wrong")) is None
    assert read_verdict("Verdict: incorrect", ("yes", "no")) is None
    assert read_verdict('{"verdict": "No"}', ("yes", "no")) == "no"


@given(st.text())
def test_any_text_is_read_without_complaint(text: str) -> None:
    assert read_verdict(text, SCALE) in (*SCALE, None)


@given(st.text(), st.sampled_from(SCALE), st.booleans())
def test_whatever_the_reason_says_the_verdict_stands(reason: str, verdict: str, ascii_only: bool) -> None:
    reply = json.dumps({"reason": reason, "verdict": verdict}, ensure_ascii=ascii_only)
    if "<think>" not in reason.lower() and "</think>" not in reason.lower():
        assert read_verdict(reply, SCALE) == verdict
