"""MedVInT's rule: the candidate that looks most like the reply is taken for the answer."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from radvqa.scoring.multiple_choice import letters
from radvqa.scoring.rule import Question, Rule
from radvqa.scoring.rules._alike import Bounds, alike_to
from radvqa.scoring.statistics import FloatArray

LONGEST = 2000  # characters of a text that are compared; texts are looked up whole
_KEPT = 1024  # replies whose bounds are remembered


def nearest_is(gold: int, texts: Sequence[str], reply: str, bounds: Callable[[str], FloatArray]) -> bool:
    """Whether the gold is the text most alike to the reply; of equals the first is, and none that has nothing of it.

    Args:
        gold: index of the gold among the texts.
        texts: what the reply may stand for.
        reply: the reply.
        bounds: from a reply to how alike each text can be at most; only texts that could be nearer are compared.
    """
    alike = alike_to(reply)
    own = alike(texts[gold])
    if not own:
        return False
    most = bounds(reply)
    rivals = np.flatnonzero((most > own) | ((most == own) & (np.arange(len(texts)) < gold)))
    for rival in rivals[np.argsort(-most[rivals], kind="stable")].tolist():
        value = alike(texts[rival])
        if value > own or (value == own and rival < gold):
            return False
    return True


def _judge(candidates: Sequence[str]) -> Callable[[Question], float]:
    """Prepare the candidates; texts are compared as given, by their first 2,000 characters.

    Quirks, kept: case and punctuation count; any reply that shares a letter with some candidate stands for one; in a
    reply of 200 or more characters, letters that make up more than one percent of it begin no match.
    """
    known = {text: place for place, text in enumerate(dict.fromkeys(candidates))}
    texts = [text[:LONGEST] for text in known]
    bounds = lru_cache(_KEPT)(Bounds(texts).of)

    def value(question: Question) -> float:
        if question.options:
            return _of_options(question)
        gold = known.get(question.gold)
        if gold is None:
            return 0.0
        if question.reply in known:
            return float(known[question.reply] == gold)
        return float(nearest_is(gold, texts, question.reply[:LONGEST], bounds))

    return value


def _of_options(question: Question) -> float:
    """Choose among the options; where the gold is a letter, each begins with its own, as in PMC-VQA's files."""
    texts = list(question.options)
    gold = question.gold.strip()
    if question.gold in texts:
        place = texts.index(question.gold)
    elif gold.upper() in (names := letters(len(texts))):
        place = names.index(gold.upper())
        texts = [f"{name}:{text}" for name, text in zip(names, texts, strict=True)]
    else:
        return 0.0
    if question.reply in texts:
        return float(texts.index(question.reply) == place)
    short = [text[:LONGEST] for text in texts]
    return float(nearest_is(place, short, question.reply[:LONGEST], lambda _: np.ones(len(short))))


RULE = Rule(
    title="MedVInT",
    meaning="The option of the question, or without options the gold answer of any question in the file, that looks "
    "most like the reply is taken for the answer (Ratcliff and Obershelp's ratio, upper and lower case apart). It is "
    "right when it is the gold, so text that says nothing still scores about chance.",
    source="xiaoman-zhang/PMC-VQA, src/MedVInT_TD/test.py (difflib.SequenceMatcher), commit 1678ec2",
    judge=_judge,
)
