"""Questions and answers that say each other: no picture is needed, or n-gram metrics reward an echo."""

from radvqa.curating.rules.words import Texts

ECHO = 0.6
"""Share of the question's words in the answer, from which on they echo each other (seed 002's test set: 52 % do)."""

_LONG = 6  # words with meaning; shorter answers share words because the thing has a name


def given_away(texts: Texts) -> bool:
    """The question holds every word of its answer that carries meaning, and offers no choice."""
    if texts.offers or texts.asks_yes_or_no or texts.pair.options:
        return False
    return bool(texts.answer_words) and texts.answer_words <= texts.question_words


def echo(texts: Texts) -> bool:
    """A long answer repeats the question: it was the text that the question was made from."""
    if texts.says_yes_or_no or len(texts.answer_words) < _LONG or len(texts.question_words) < 2:
        return False
    shared = len(texts.question_words & texts.answer_words)
    return shared >= ECHO * len(texts.question_words)
