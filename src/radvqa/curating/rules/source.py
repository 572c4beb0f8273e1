"""Pairs that speak of the text that they were made from."""

from radvqa.curating.rules.patterns import any_of
from radvqa.curating.rules.words import Texts

_SOURCE = any_of(
    r"captions?|context|passage|abstract|legend|information|description",
    r"mention(?:s|ed)?|described|stated|provided",
    r"case (?:information|text|report)",
    r"given (?:text|information|medical|image caption)",
    r"the (?:text|report|case|question|note|figure legend)",
    r"according to (?!the (?:image|picture|scan|figure)(?!\w)).*",
)


def speaks_of_source(texts: Texts) -> bool:
    """Caption, context, text, report, what is mentioned, provided or described."""
    return bool(_SOURCE.search(texts.both))
