"""The rule of lmms-eval's SLAKE task: equality after punctuation became spaces and yes/no synonyms one word."""

from radvqa.scoring.rule import Rule
from radvqa.scoring.rules._words import NO, NO_CHINESE, PUNCTUATION, YES, YES_CHINESE, equality, spaced, without_asides

_MARKS = spaced(PUNCTUATION | {"｡"})
_SAME = (
    {"x ray": "xray"}
    | dict.fromkeys(YES | YES_CHINESE | {"正常"}, "yes")
    | dict.fromkeys(NO | NO_CHINESE | {"异常"}, "no")
)


def normalise(text: str) -> str:
    """Lower-case, drop what stands in round brackets, put spaces for punctuation, unify X-ray, yes and no.

    Only a whole answer is unified: “x ray” is “xray”, “x ray of the chest” stays. The Chinese words for *normal* and
    *abnormal* count as yes and no, whatever was asked.
    """
    words = " ".join(without_asides(text.strip().lower()).translate(_MARKS).split())
    return _SAME.get(words, words)


RULE = Rule(
    title="lmms-eval",
    meaning="Gold and reply must be equal after lower-casing, without text in round brackets, and with a space for "
    "every punctuation mark. A reply that is one of yes, yeah, yep, true (or no, nope, false, or a Chinese synonym) "
    "counts as yes (or no), and “x ray” as “xray”.",
    source="EvolvingLMMs-Lab/lmms-eval, lmms_eval/tasks/slake/utils.py, commit 65ef07d",
    judge=lambda _: equality(normalise, normalise),
)
