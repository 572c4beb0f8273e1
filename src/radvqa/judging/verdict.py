"""Reading a judge's reply, however it is wrapped, and not reading into it what it does not say."""

import json
import re
from collections.abc import Collection, Iterator

_LONGEST = 8000  # characters; a verdict stands in the last lines or nowhere
_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_MEANS = {
    "incorrect": "wrong",
    "false": "wrong",
    "right": "correct",
    "partial": "partly",
    "partially": "partly",
    "partially correct": "partly",
    "partly correct": "partly",
}
"""Words that judges use instead of those they were given; each counts only where the scale has what it means."""


def read_verdict(reply: str, verdicts: Collection[str]) -> str | None:
    """Find the one verdict in a reply; None when there is none, or when there are several different ones.

    JSON objects with a key ``verdict`` come first: alone, fenced, or with prose around them. Failing that, what
    follows the word "verdict" is read, as in ``Verdict: correct``, in JSON with single quotes, or in JSON that was
    cut off; failing that, a reply that is nothing but the verdict. Thoughts between ``<think>`` marks do not count.

    Args:
        reply: the judge's text.
        verdicts: the words of the scale, in lower case.
    """
    words = {word: word for word in verdicts} | {word: m for word, m in _MEANS.items() if m in verdicts}
    text = _THOUGHTS.sub("", reply[-_LONGEST:]).rpartition("</think>")[2]
    found = {words.get(_bare(value)) for value in _from_json(text)}
    if not found:
        found = {words[_bare(word)] for word in _after_the_word(text, words)}
    if not found:
        found = {words.get(_bare(text))}
    return found.pop() if len(found) == 1 else None


def _from_json(text: str) -> Iterator[str]:
    """Yield the verdicts of all JSON objects in a text that have one."""
    decoder, place = json.JSONDecoder(strict=False), text.find("{")
    while place >= 0:
        try:
            value, after = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            after = place + 1
        else:
            for key, said in value.items() if isinstance(value, dict) else ():
                if key.strip().lower() == "verdict" and isinstance(said, str):
                    yield said
        place = text.find("{", after)


def _after_the_word(text: str, words: Collection[str]) -> list[str]:
    """Find known words right behind "verdict"; a list of choices, as in the prompt, is no verdict."""
    known = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    pattern = rf"\bverdict\b\W{{0,8}}(?:is\b\W{{0,4}})?({known})\b(?!\W{{0,4}}(?:or\b|\|)|\s*/)"
    return re.findall(pattern, text, re.IGNORECASE)


def _bare(text: str) -> str:
    return " ".join(text.strip(" \t\r\n\"'`*_.!:").lower().split())
