"""A model that checks pairs: what it denies goes, what it is unsure of on demand, what cannot be read stays."""

import json
from typing import Any

import pytest
from made_pairs import pair

from chat_server import serving
from radvqa.curating.verify import RULE, read_verdict, verify
from radvqa.endpoint.client import ChatEndpoint

PAIRS = [
    pair("A?", "yes", caption="c", id="right"),
    pair("B?", "no", caption="c", id="wrong"),
    pair("C?", "unsure", caption="c", id="open"),
    pair("D?", "gibberish", caption="c", id="unread"),
    pair("E?", "no", caption="c", id="out", dropped="echo", flags=("echo",)),
    pair("F?", "no", caption="", id="no caption"),
]


def says(body: dict[str, Any], _number: int) -> str:
    prompt = body["messages"][0]["content"]
    answer = json.loads(prompt.split("Answer: ")[1].splitlines()[0])
    return "what?" if answer == "gibberish" else json.dumps({"right": answer, "reason": "so"})


@pytest.mark.parametrize(("strict", "gone"), [(False, {"wrong"}), (True, {"wrong", "open"})])
def test_what_is_denied_goes(strict: bool, gone: set[str]) -> None:
    with serving(says) as server:
        found = verify(PAIRS, ChatEndpoint(server.url, "tiny"), strict=strict)
        assert len(server.bodies) == 4  # what rules took out, and what has no caption, is not asked about
        again = verify(found.pairs, ChatEndpoint(server.url, "tiny"), strict=False)
    assert {made.id for made in found.pairs if made.dropped == RULE} == gone
    assert found.verdicts == {"yes": 1, "no": 1, "unsure": 1, "unreadable": 1}
    assert found.pairs[4].dropped == "echo"
    assert {made.id for made in again.pairs if made.dropped == RULE} == {"wrong"}


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ('{"right": "yes", "reason": "x"}', "yes"),
        ('Sure: ```json\n{"right": "No", "reason": "a } b"}\n```', "no"),
        ('{"right": "unsure", "reason": "cut o', "unsure"),
        ('{"right": "maybe"}', ""),
        ("yes", ""),
        ("", ""),
    ],
)
def test_verdicts_are_read_or_not(reply: str, verdict: str) -> None:
    assert read_verdict(reply) == verdict
