"""Pairs that speak of the text that they were made from."""

import re

from radvqa.curating.rules.words import Texts

_SOURCE = re.compile(
    r"\b(?:caption|captions|context|mention(?:s|ed)?|passage|abstract|case (?:information|text|report)|description"
    r"|information|described|stated|according to (?!the (?:image|picture|scan|figure)\b)|provided|the (?:text|report|case|question|note|figure legend)|legend"
    r"|given (?:text|information|medical|image caption))\b"
)


def speaks_of_source(texts: Texts) -> bool:
    """Caption, context, text, report, what is mentioned, provided or described."""
    return bool(_SOURCE.search(texts.both))
