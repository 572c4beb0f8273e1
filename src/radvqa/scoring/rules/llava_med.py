"""LLaVA-Med's rule: recall of the gold's words for open questions, a substring for closed ones."""

import re
from collections import Counter
from collections.abc import Callable
from functools import cache

from radvqa.scoring.rule import Question, Rule
from radvqa.scoring.rules._words import ARTICLES, NUMBERS

_PUNCTUATION = frozenset(';/[]"{}()=+\\_-><@`,?!')
_COMMA_IN_NUMBER = re.compile(r"\d,\d")
_PERIOD = re.compile(r"\.(?!\d)")
_PERIODS = 32  # the original hands the flag re.UNICODE, which is 32, to an argument that counts replacements


def _contractions() -> dict[str, str]:
    """Build the table of words whose apostrophe VQA v2 puts back: stems by ending, then those that stand alone."""

    def ends(stems: str, without: str, apostrophe: str) -> dict[str, str]:
        return {stem + without: stem + apostrophe for stem in stems.split()}

    with_d = "he it she somebody someone something there they we who you"
    negated = "could had might should would"
    return (
        ends(
            "ai are ca could did does do had has have is might must need ought sha should was were wo would",
            "nt",
            "n't",
        )
        | ends(negated, "nt've", "n't've")
        | ends(negated, "n'tve", "n't've")
        | ends("could might must not should they we what where who would you", "ve", "'ve")
        | ends(with_d, "d've", "'d've")
        | ends(with_d, "'dve", "'d've")
        | ends("he how it someone something there they where who you", "d", "'d")
        | ends("how it somebody someone something they what who why you", "ll", "'ll")
        | ends("there they what why you", "re", "'re")
        | ends("he how somebody someone that there what when where who why", "s", "'s")
        | dict.fromkeys(("yall'd've", "y'alld've", "y'all'dve"), "y'all'd've")
        | dict.fromkeys(("yall'll", "y'allll"), "y'all'll")
        | dict.fromkeys(("ow's'at", "'ows'at", "'ow'sat"), "'ow's'at")
        | {"maam": "ma'am", "oclock": "o'clock", "twas": "'twas", "yall": "y'all", "somebody'd": "somebodyd"}
    )


_CONTRACTIONS = _contractions()


def normalise(text: str) -> str:
    """Apply VQA v2's word normaliser: punctuation, then number words, articles and contractions.

    Quirks, kept: a mark that stands beside a space anywhere in the text is deleted everywhere, else it becomes a
    space, and a comma inside a number deletes all marks; at most 32 full stops are deleted; “none” is “0”.
    """
    if marks := _PUNCTUATION.intersection(text):
        delete = _COMMA_IN_NUMBER.search(text) is not None
        text = text.translate(
            {ord(mark): "" if delete or f"{mark} " in text or f" {mark}" in text else " " for mark in marks}
        )
    words = (NUMBERS.get(word, word) for word in _PERIOD.sub("", text, count=_PERIODS).lower().split())
    return " ".join(_CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)


def _of_closed(text: str) -> str:
    return normalise(text.lower())


def _of_open(text: str) -> Counter[str]:
    return Counter(normalise(_of_closed(text)).split())  # normalised twice, as the original does


def closed_value(gold: str, reply: str) -> float:
    """Whether the normalised gold is a substring of the normalised reply, which must have “yes” or “no” in it.

    Quirk, kept: “no” is found in “normal” and “not”; a closed gold that is neither yes nor no (SLAKE has 61) is right
    only when the reply happens to have one of these letter sequences beside it.
    """
    return float(("yes" in reply or "no" in reply) and gold in reply)


def recall(gold: Counter[str], reply: Counter[str]) -> float:
    """Share of the gold's words that the reply has.

    Quirk, kept: a word that both have counts as often as the *reply* repeats it, so repetition raises the value.
    """
    found = sum(count for word, count in reply.items() if word in gold)
    lacking = sum(count for word, count in gold.items() if word not in reply)
    return found / (found + lacking) if found else 0.0


def _judge() -> Callable[[Question], float]:
    closed_gold, open_gold = cache(_of_closed), cache(_of_open)

    def value(question: Question) -> float:
        if question.closed:
            return closed_value(closed_gold(question.gold), _of_closed(question.reply))
        return recall(open_gold(question.gold), _of_open(question.reply))

    return value


RULE = Rule(
    title="LLaVA-Med",
    meaning="An open question scores the share of the gold's words that the reply has, so that a reply which says "
    "everything scores 1. A closed question is right when the reply has “yes” or “no” anywhere in it and the gold as a "
    "substring.",
    source="microsoft/LLaVA-Med v1.0, llava/eval/run_eval.py and eval_metrics, as of December 2023",
    judge=lambda _: _judge(),
)
