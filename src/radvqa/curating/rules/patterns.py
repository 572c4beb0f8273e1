"""Patterns that can be read: one alternative a line."""

import re


def any_of(*alternatives: str) -> re.Pattern[str]:
    """Match any of some alternatives as whole words; each is a regular expression over lower-cased text."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})(?!\w)")
