"""Replies of language models, read as pairs however they are wrapped."""

import json
import os
import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radvqa import files
from radvqa.curating.parsing.read import read_pairs, read_text
from radvqa.curating.parsing.written import Written

PAIR = ("Which organ is shown?", "Liver")
OTHER = ("Is there a mass?", "Yes")


def turns(who: str, what: str, asks: str, answers: str) -> list[dict[str, str]]:
    return [{who: name, what: text} for pair in (PAIR, OTHER) for name, text in zip((asks, answers), pair, strict=True)]


def said(reply: str, **options: bool) -> list[tuple[str, str]]:
    return [(pair.question, pair.answer) for pair in read_pairs(reply, **options).pairs]


@pytest.mark.parametrize(
    "reply",
    [
        "Q: Which organ is shown?\nA: Liver\n\nQ: Is there a mass?\nA: Yes",
        "Here are the pairs:\n\nQ: Which organ is shown?\nA: Liver\n\nQ: Is there a mass?\nA: Yes\n\nLet me know!",
        "**Q: Which organ is shown?**\nA: Liver\n\n**Q: Is there a mass?**\n**A:** Yes",
        "**Q1:** Which organ is shown?\n**A1:** Liver\n**Q2:** Is there a mass?\n**A2:** Yes",
        "**Question 1**\nWhich organ is shown?\n**Answer**\nLiver\n\n**Question 2**\nIs there a mass?\n**Answer**\nYes",
        "1. Question: Which organ is shown?\n   Answer: Liver\n2. Question: Is there a mass?\n   Answer: Yes",
        "### Question 1: Which organ is shown?\n- Answer: Liver\n### Question 2: Is there a mass?\n- Answer: Yes",
        "Question - Which organ is shown?\nQ: Which organ is shown?\nA: Liver\nQ: Is there a mass?\nA: Yes",
        "Frage: Which organ is shown?\nAntwort: Liver\n\nFrage: Is there a mass?\nAntwort: Yes",
        "问题:Which organ is shown?\n答案:Liver\n问题:Is there a mass?\n答案:Yes",
        "Pregunta 1: Which organ is shown?\nRespuesta 1: Liver\nPregunta 2: Is there a mass?\nRespuesta 2: Yes",
        "```\nQ: Which organ is shown?\nA: Liver\nQ: Is there a mass?\nA: Yes\n```",
        "User: Which organ is shown?\nAssistant: Liver\nUser: Is there a mass?\nAssistant: Yes",
        "1. Which organ is shown?\nLiver\n\n2. Is there a mass?\nYes",
        "Which organ is shown?\n Liver\n\nIs there a mass?\nYes\n\nPlease let me know if you need more.",
        "Q: Which organ is shown?\n(assuming some anatomy) A: Liver\n\nQ: Is there a mass?\nA: Yes",
        'Q: "Which organ is shown?"\nA: "Liver"\nQ: Is there a mass?\nA: *Yes*',
        json.dumps({"pairs": [{"question": q, "answer": a} for q, a in (PAIR, OTHER)]}),
        "Sure! ```json\n" + json.dumps([{"Question": q, "Answer": a} for q, a in (PAIR, OTHER)], indent=1) + "\n```",
        "\n".join(json.dumps({"q": q, "a": a}) for q, a in (PAIR, OTHER)),
        json.dumps({"conversations": turns("from", "value", "human", "gpt")}),
        json.dumps(turns("role", "content", "user", "assistant")),
    ],
)  # fmt: skip
def test_two_pairs_in_many_wrappings(reply: str) -> None:
    assert said(reply) == [PAIR, OTHER]


def test_a_reply_without_pairs_holds_none() -> None:
    for reply in ("", "I cannot help with that.", "{}", "<html><body>502 Bad Gateway</body></html>", "[1, 2", "Q:"):
        assert said(reply) == []


def test_questions_without_answers_are_counted_and_left_out() -> None:
    parsed = read_pairs("Q: Which organ is shown?\n(To be answered)\n\nQ: Is there a mass?\nA: Yes\n\nQ: And where?")
    assert [pair.question for pair in parsed.pairs] == ["Is there a mass?"]
    assert parsed.unanswered == 2


def test_an_answer_of_several_lines_ends_at_a_blank_one() -> None:
    reply = (
        "Q: What is seen?\nA: Two things:\n- a mass\n- an effusion\n\nNote: I left numbers out.\n\nQ: Where?\nA: Left"
    )
    assert said(reply) == [("What is seen?", "Two things: - a mass - an effusion"), ("Where?", "Left")]


def test_what_was_cut_off_is_said_to_have_no_end() -> None:
    cut = read_pairs("Q: Which organ is shown?\nA: Liver\nQ: Where is it?\nA: In the upper ri", cut=True)
    assert [pair.whole for pair in cut.pairs] == [True, False]
    whole = json.dumps({"pairs": [{"question": PAIR[0], "answer": PAIR[1]}, {"question": OTHER[0], "answer": "Yes"}]})
    found = read_pairs(whole[:-12], cut=True)
    assert [(pair.question, pair.whole) for pair in found.pairs] == [(PAIR[0], True)]


def test_choices_by_letter_by_text_and_by_both() -> None:
    text = "Question: Which organ?\nA. Liver\nB) Spleen\n(C) Kidney\nD: Heart\nAnswer: {}\n"
    for right in ("B", "B) Spleen", "(B)", "Spleen", "spleen"):
        assert read_pairs(text.format(right), choice=True).pairs == (
            Written("Which organ?", "Spleen", ("Liver", "Spleen", "Kidney", "Heart")),
        )
    options = ["A. Liver", "B. Spleen", "C. Kidney", "D. Heart"]
    for right in ("B", "Spleen", "B. Spleen"):
        found = read_pairs(json.dumps([{"question": "Which organ?", "options": options, "answer": right}]), choice=True)
        assert found.pairs[0] == Written("Which organ?", "Spleen", ("Liver", "Spleen", "Kidney", "Heart"))


def test_texts_lose_what_is_said_around_them() -> None:
    reply = 'Here is the rewritten caption:\n\n"Axial CT with a mass\nin the left kidney."\n\nLet me know if it fits!'
    assert read_text(reply, "Describe.").pairs[0].answer == "Axial CT with a mass in the left kidney."
    assert read_text("A mass.", "Describe.", cut=True).pairs[0].whole is False
    assert not read_text("  \n", "Describe.").pairs


_TEXT = st.text(string.ascii_letters + " ,-'äß肝", min_size=1, max_size=30).map(str.strip).filter(
    lambda text: bool(text) and text.strip("-' ,") == text and "  " not in text
)  # fmt: skip
_PAIRS = st.lists(st.tuples(_TEXT.map(lambda text: f"{text}?"), _TEXT), min_size=1, max_size=6)


def _plain_label(text: str) -> bool:
    return not re.match(r"(?i)(q|a|ans|answer|question|user|human|model|patient|frage|doctor|expert|gpt)\b", text)


@given(_PAIRS.filter(lambda pairs: all(_plain_label(part) for pair in pairs for part in pair)))
def test_whatever_is_written_is_read_again(pairs: list[tuple[str, str]]) -> None:
    assert said(json.dumps({"pairs": [{"question": q, "answer": a} for q, a in pairs]})) == pairs
    assert said("\n\n".join(f"Q: {q}\nA: {a}" for q, a in pairs)) == pairs
    assert said("\n".join(f"**Q{n}:** {q}\n**A{n}:** {a}" for n, (q, a) in enumerate(pairs, 1))) == pairs


@given(st.text(max_size=400))
def test_no_reply_is_too_odd(reply: str) -> None:
    for pair in read_pairs(reply).pairs:
        assert pair.answer


@pytest.mark.real_data
def test_recorded_replies_of_a_larger_model_are_recovered() -> None:
    """Every label of a question in 1,541 replies of Llama 3.1 8B, counted by another rule than the parser's."""
    raw = files.read_json(Path(os.environ["RADVQA_DATA"]) / "medpix_clinqa" / "qa_pairs_output.json")
    asked = read = 0
    for row in raw:
        labels = re.findall(r"(?m)^\W*(?:Q\d*|Question \d+)\W", row["qa_pairs"])
        asked += len(labels) or row["qa_pairs"].count("?")
        parsed = read_pairs(row["qa_pairs"])
        read += len(parsed.pairs)
    assert (len(raw), asked, read) == (1541, 8117, 8114)  # three questions have no answer in the replies
