"""Takes wrapping off a text: emphasis, quotation marks, bullets, spaces."""

import re

_FENCE = re.compile(r"^\s*```[\w-]*\s*$", re.MULTILINE)
_QUOTES = {'"': '"', "'": "'", "“": "”", "«": "»", "「": "」", "„": "“", "`": "`"}
_SPACES = re.compile(r"[ \t\u00a0]+")
_BULLET = re.compile(r"^\s*[*•\-]\s+")


def without_fences(text: str) -> str:
    """Take the lines away that begin and end fenced blocks."""
    return _FENCE.sub("", text)


def tidy(text: str) -> str:
    """Take emphasis, one pair of quotation marks around the whole, a bullet and surplus spaces away."""
    text = _SPACES.sub(" ", text).strip()
    text = _BULLET.sub("", text)
    for mark in ("***", "**", "__", "*"):
        if text.startswith(mark) and text.endswith(mark) and len(text) > 2 * len(mark):
            text = text[len(mark) : -len(mark)].strip()
    text = text.removesuffix("**").removesuffix("__").strip() if text.count("**") % 2 or text.count("__") % 2 else text
    text = text.removeprefix("**").strip() if text.count("**") % 2 else text
    if len(text) > 2 and _QUOTES.get(text[0]) == text[-1] and text.count(text[0]) <= 2:
        text = text[1:-1].strip()
    return text
