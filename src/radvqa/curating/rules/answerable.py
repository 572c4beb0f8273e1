"""Questions that the picture cannot answer, and answers that are none."""

import re

from radvqa.curating.rules.patterns import any_of
from radvqa.curating.rules.words import Texts

_WHOLE = re.compile(r"^\W*(?:none given|n/?a|unknown|unclear|unspecified|nothing|nos)?\W*$")
_NO_ANSWER = any_of(
    r"not (?:applicable|available|specified|provided|mentioned|given|stated|known|clear|indicated|possible to)",
    r"(?:cannot|can't|could not|unable to) (?:be )?(?:determine|say|tell|answer|infer|see|assess)(?:e?d|red)?",
    r"to be (?:answered|determined|filled)",
    r"depends on|yes/no|other pulse seq|nos|as an ai",
    r"i (?:don't|do not|cannot|can't)",
    r"description of the image|replace this",
)
_OTHER_KNOWLEDGE = any_of(
    r"purpose|necessary|needed|indication|recommend(?:ed)?",
    r"typical(?:ly)?|usually|commonly|generally|in general",
    r"cause of|specialty|department|definition|defined as",
    r"can (?!you)\w+ .{0,40}be (?:identified|diagnosed|distinguished|treated|caused)",
    r"why (?:was|is|are|were|did|would)",
    r"epidemiology|incidence|prevalence|risk factors?|manage(?:ment|d)?",
)


def no_answer(texts: Texts) -> bool:
    """The answer says that there is none."""
    return bool(_WHOLE.match(texts.answer) or _NO_ANSWER.search(texts.answer))


def not_in_picture(texts: Texts) -> bool:
    """The question asks why, what for, or what is usual; ``literature`` questions may."""
    return texts.pair.kind != "literature" and bool(_OTHER_KNOWLEDGE.search(texts.question))
