"""Questions that the picture cannot answer, and answers that are none."""

import re

from radvqa.curating.rules.words import Texts

_NO_ANSWER = re.compile(
    r"^\W*(?:none given|n/?a|unknown|unclear|unspecified|nothing|nos)\b\W*$"
    r"|\bnot (?:applicable|available|specified|provided|mentioned|given|stated|known|clear|indicated|possible to)\b"
    r"|\b(?:cannot|can't|could not|unable to) (?:be )?"
    r"(?:determine[d]?|say|tell|answer(?:ed)?|infer(?:red)?|see|assess(?:ed)?)\b"
    r"|\bto be (?:answered|determined|filled)\b|\bdepends on\b|\byes/no\b|\bother pulse seq|\bnos\b|\bas an ai\b"
    r"|\bi (?:don't|do not|cannot|can't)\b|\bdescription of the image\b|\breplace this\b|^\W*$"
)
_OTHER_KNOWLEDGE = re.compile(
    r"\b(?:purpose|necessary|needed|indication|recommended?|typical(?:ly)?|usually|commonly|generally|cause of"
    r"|specialty|department|why (?:was|is|were|did|would)|in general|epidemiology|incidence|prevalence"
    r"|risk factors?|manage(?:ment|d)?)\b"
)


def no_answer(texts: Texts) -> bool:
    """The answer says that there is none."""
    return bool(_NO_ANSWER.search(texts.answer))


def not_in_picture(texts: Texts) -> bool:
    """The question asks why, what for, or what is usual; ``literature`` questions may."""
    return texts.pair.kind != "literature" and bool(_OTHER_KNOWLEDGE.search(texts.question))
