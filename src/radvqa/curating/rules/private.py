"""What cannot be seen in a picture, or should not be taught: measures, history, dates, identifiers."""

import re

from radvqa.curating.rules.words import Texts

_UNIT = (
    r"(?:mm|cm|m|millimet(?:er|re)s?|centimet(?:er|re)s?|inch(?:es)?|hu|hounsfield|ml|cc|kg|mg|gy|%|percent|degrees?|°)"
)
_MEASURE = re.compile(
    rf"\d\s*[-–]?\s*{_UNIT}(?![a-z])|\d\s*(?:[x×]|by)\s*\d|\bsuv\b|\b\d+\.\d+\b|\bhow (?:large|big|long|wide|thick)\b"
    r"|\bwhat (?:is|are|was) the (?:size|diameter|dimensions?)\b|\bmeasur(?:e|es|ed|ement|ements)\b"
)
_BARE = re.compile(r"^\W*\d+(?:[.,]\d+)?\W*$")
_HISTORY = re.compile(
    r"\b\d+[- ]?(?:years?|yrs?|months?|weeks?|days?|hours?)\b|\by/?o\b|\b(?:old|young|elderly|male|female|man|woman|boy|girl)\b"
    r"|\b(?:gender|sex|age) of\b|\bpatient(?:'s|’s)? (?:age|sex|gender|history|symptoms?|condition|complaint|presentation)"
    r"|\b(?:condition|symptoms?|history) of the patient\b|\bin patients\b"
    r"|\b(?:history of|medical history|present(?:ed|ing) with|complain|symptoms?|admitted|trauma history)\b"
    r"|\b(?:previous(?:ly)?|prior (?:to|study|scan|exam|imaging|surgery)|follow-?up|postoperative|post-?op|preoperative)\b"
    r"|\b(?:treat(?:ed|ment)|therapy|surger(?:y|ies)|surgically|operated|antibiotics?|chemotherapy|biops(?:y|ied))\b"
    r"|\bcompared (?:to|with) .{0,30}\b(?:initial|earlier|baseline|before|presentation|study|exam)|\b(?:interval change|has .{0,40}\bchanged|improve(?:d|ment)|resol(?:ved|ution)|worsened)\b"
    r"|\b(?:now|no longer|since the last|over time|before and after|once again)\b|\bprognosis\b|\boutcome\b"
    r"|\bcolonoscopy\b|\blaboratory\b"
)
_DATE = re.compile(
    r"\b(?:19|20)\d\d\b|\b\d{1,2}[/.]\d{1,2}[/.]\d{2,4}\b"
    r"|\b(?:january|february|march|april|june|july|august|september|october|november|december)\s+\d"
)
_IDENTIFIER = re.compile(
    r"\b(?:pmid|mrn|doi|accession|patient id|case (?:no|number|id))\b|\b(?:figure|fig\.?|film|image|slide|panel) ?#? ?\d"
    r"|\bdr\.? [a-z]|\S+@\S+\.\S+|https?://|#\d+"
)


def measures(texts: Texts) -> bool:
    """A number with a unit, a product of lengths, a decimal, or a bare number as the whole answer."""
    return bool(_MEASURE.search(texts.both) or _BARE.match(texts.answer))


def history(texts: Texts) -> bool:
    """Age, sex, complaints, treatment, outcome, or a comparison with another time."""
    return bool(_HISTORY.search(texts.both))


def dates(texts: Texts) -> bool:
    """A date or a year."""
    return bool(_DATE.search(texts.both))


def identifiers(texts: Texts) -> bool:
    """A name, a number of a case, figure or paper, an address."""
    return bool(_IDENTIFIER.search(texts.both))
