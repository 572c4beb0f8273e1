"""What cannot be seen in a picture, or should not be taught: measures, history, dates, identifiers."""

import re

from radvqa.curating.rules.patterns import any_of
from radvqa.curating.rules.words import Texts

_UNITS = "mm|cm|m|ml|cc|kg|mg|gy|hu|hounsfield|inch(?:es)?|percent|degrees?|(?:milli|centi)met(?:er|re)s?"
_MEASURE = any_of(
    rf"\d+\s*[-–]?\s*(?:{_UNITS})",
    r"\d+\s*[%°]",
    r"\d+\s*(?:[x×]|by)\s*\d.*",
    r"\d+\.\d+",
    r"suv",
    r"how (?:large|big|long|wide|thick)",
    r"what (?:is|are|was) the (?:size|diameter|dimensions?)",
    r"measur(?:e|es|ed|ements?)",
)
_BARE = re.compile(r"^\W*\d+(?:[.,]\d+)?\W*$")
_HISTORY = any_of(
    r"\d+[- ]?(?:years?|yrs?|months?|weeks?|days?|hours?)",
    r"y/?o",
    r"old|young|elderly|male|female|man|woman|boy|girl",
    r"(?:gender|sex|age) of",
    r"patient(?:['’]s)? (?:age|sex|gender|history|symptoms?|condition|complaint|presentation)",
    r"(?:condition|symptoms?|history) of the patient",
    r"in patients",
    r"history of|medical history|present(?:ed|ing) with|complain(?:s|ed|ts?)?|symptoms?|admitted",
    r"previous(?:ly)?|prior (?:to|study|scan|exam|imaging|surgery)|follow-?up|postoperative|post-?op|preoperative",
    r"treat(?:ed|ment)|therapy|surger(?:y|ies)|surgically|operated|antibiotics?|chemotherapy|biops(?:y|ied)",
    r"compared (?:to|with) .{0,30}(?:initial|earlier|baseline|before|presentation|study|exam)",
    r"interval (?:change|increase|decrease|growth|development)|(?:increase|decrease)d? (?:in size|compression|since)",
    r"progress(?:ion|ed|ing)? (?:of|from|since)|has .{0,40}changed|improve(?:d|ment)|resol(?:ved|ution)|worsened",
    r"now|no longer|since the last|over time|before and after|once again",
    r"prognosis|outcome|colonoscopy|laboratory",
)
_DATE = any_of(
    r"(?:19|20)\d\d",
    r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}",
    r"(?:january|february|march|april|june|july|august|september|october|november|december)\s+\d+",
)
_IDENTIFIER = any_of(
    r"pmid|mrn|doi|accession|patient id|case (?:no|number|id)",
    r"(?:figure|fig\.?|film|image|slide|panel) ?#? ?\d+",
    r"(?:figure|fig\.?|film|in image|slide|panel) [a-h]",
    r"dr\.? [a-z]+",
    r"\S+@\S+\.\w+",
    r"https?://\S+",
    r"#\d+",
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
