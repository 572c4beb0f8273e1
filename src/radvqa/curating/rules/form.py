"""Pairs whose form is wrong."""

import re

from radvqa.curating.rules.words import Texts

LONGEST_ANSWER, LONGEST_QUESTION = 60, 40
"""Words."""

_LEANS = re.compile(
    r"^(?:if (?:yes|so|no|not|present)|(?:what|how) about|and|also|any other)\b"
    r"|^(?:are|is) there any(?:thing)? (?:other|else)\b"
    r"(?!.*\b(?:besides|other than|apart from|except|in addition to)\b)"
)
_FREE = ("description", "rewrite", "conversation", "literature")
_MARKS = ("?", "？", "؟")


def wrong_form(texts: Texts) -> bool:
    """Cut off, empty, no question, too long, broken options, or yes or no asked and something else answered."""
    pair = texts.pair
    if not pair.whole or not texts.answer.strip() or not texts.question.strip():
        return True
    if pair.kind in _FREE:
        return False
    if not pair.question.rstrip().endswith(_MARKS):
        return True
    if len(texts.answer.split()) > LONGEST_ANSWER or len(texts.question.split()) > LONGEST_QUESTION:
        return True
    if pair.kind == "choice":
        return len(pair.options) < 2 or len(set(pair.options)) < len(pair.options) or pair.answer not in pair.options
    if pair.kind == "closed" and not texts.says_yes_or_no:
        return True
    return texts.asks_yes_or_no and not texts.says_yes_or_no and not texts.answer.startswith(("none", "not "))


def leans(texts: Texts) -> bool:
    """The question cannot be understood without the one before it."""
    return texts.pair.kind != "conversation" and bool(_LEANS.match(texts.question.lstrip()))
