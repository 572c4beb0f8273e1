"""What several published rules share: brackets, punctuation, words for yes and no, and equality after normalising."""

import re
import string
from collections.abc import Callable
from functools import cache

from radvqa.scoring.rule import Question
from radvqa.text import Normaliser

YES = frozenset({"yes", "yeah", "yep", "true"})
NO = frozenset({"no", "nope", "false"})
YES_CHINESE = frozenset({"是", "是的", "有", "包含", "可以", "能", "会"})
NO_CHINESE = frozenset({"否", "不是", "没有", "无", "不包含", "不可以", "不能", "不会", "不正常"})

NUMBERS = {"none": "0"} | {
    word: str(number)
    for number, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    )
}
ARTICLES = frozenset({"a", "an", "the"})

_TO_FULL_WIDTH = 0xFEE0  # from an ASCII character to its full-width form
_FULL_WIDTH = {chr(ord(mark) + _TO_FULL_WIDTH) for mark in string.punctuation if mark != "."}
PUNCTUATION = frozenset(string.punctuation) | _FULL_WIDTH | set("。、《》【】")
"""ASCII and Chinese punctuation; the originals' lists leave out the full-width full stop, so this does."""

_ROUND = (("(", ")"), ("（", "）"))
_ASIDES = {closing: re.compile(rf"[{opening}][^{closing}]*[{closing}]") for opening, closing in _ROUND}


def without_asides(text: str) -> str:
    """Put a space in place of each text in round brackets, from an opening one to the next closing one."""
    for closing, aside in _ASIDES.items():
        end = text.rfind(closing) + 1  # what follows cannot match, and trying takes quadratic time
        text = aside.sub(" ", text[:end]) + text[end:]
    return text


def spaced(marks: frozenset[str]) -> dict[int, str]:
    """Return the table for ``str.translate`` that puts a space in place of each mark."""
    return str.maketrans(dict.fromkeys(marks, " "))


def equality(of_gold: Normaliser, of_reply: Normaliser) -> Callable[[Question], float]:
    """Return the rule that gold and reply are the same text after normalising; a gold is normalised once."""
    known = cache(of_gold)
    return lambda question: float(known(question.gold) == of_reply(question.reply))
