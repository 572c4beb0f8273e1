"""The rule of EvalScope's SLAKE benchmark: equality after number words, articles and synonyms are unified."""

import re

from radvqa.scoring.rule import Rule
from radvqa.scoring.rules._words import (
    ARTICLES,
    NO,
    NO_CHINESE,
    NUMBERS,
    PUNCTUATION,
    YES,
    YES_CHINESE,
    equality,
    spaced,
    without_asides,
)

_MARKS = spaced(PUNCTUATION)
_CHINESE_NUMBERS = {word: str(number) for number, word in enumerate("零一二三四五六七八九十")} | {"两": "2"}
_NUMBERS = NUMBERS | _CHINESE_NUMBERS
_COUNTER = "个"
_SAME = (
    dict.fromkeys(("x ray", "x光", "x 光", "x射线", "x 射线"), "xray")
    | dict.fromkeys(YES | YES_CHINESE | {"存在"}, "yes")
    | dict.fromkeys(NO | NO_CHINESE | {"不存在"}, "no")
)
_ANSWER = re.compile(r"answer:\s*(.*)", re.IGNORECASE)


def final_answer(reply: str) -> str:
    """Return the line after the last “ANSWER:” without quotation marks around it, else the whole reply."""
    lines = _ANSWER.findall(reply)
    return str(lines[-1]).strip().strip("\"'") if lines else reply


def normalise(text: str) -> str:
    """Lower-case, drop asides and articles, put spaces for punctuation, unify numbers, X-ray, yes and no.

    Every word that is a number becomes digits, so “none” is “0” also where it does not mean a number; the Chinese
    counter word after a number is dropped. X-ray, yes and no are unified only as a whole answer.
    """
    words = map(_digits, without_asides(text.strip().lower()).translate(_MARKS).split())
    answer = " ".join(word for word in words if word not in ARTICLES)
    return _SAME.get(answer, answer)


def _digits(word: str) -> str:
    stem = word.removesuffix(_COUNTER)
    if stem != word and (stem.isdigit() or stem in _NUMBERS):
        word = stem
    return _NUMBERS.get(word, word)


RULE = Rule(
    title="EvalScope",
    meaning="The text after the last “ANSWER:” must equal the gold after lower-casing, without text in round brackets, "
    "punctuation and articles, and with number words as digits. Yes, no and X-ray are recognised by their synonyms in "
    "English and Chinese; any other difference in wording is wrong on purpose.",
    source="modelscope/evalscope, evalscope/benchmarks/slake/utils.py, commit 76467d2",
    judge=lambda _: equality(normalise, lambda reply: normalise(final_answer(reply))),
)
