"""Normalisers of questions and answers. Every score names the normaliser that it used."""

import re
from collections.abc import Callable, Iterable

_NOT_KEPT = re.compile(r"[^a-z0-9\s]")
_SPACES = re.compile(r"\s+")


def seed000(text: str) -> str:
    """Lower-case, delete every character outside ``[a-z0-9]`` and white space, collapse spaces.

    Characters are deleted, not replaced: ``"X-Ray"`` becomes ``"xray"`` and ``"right lung,upper left"``
    becomes ``"right lungupper left"``. A text without Latin letters or digits becomes the empty string.
    Source: seed 000 (``normalize_text``).
    """
    return _SPACES.sub(" ", _NOT_KEPT.sub("", text.lower())).strip()


def unicode_words(text: str) -> str:
    """Lower-case, keep letters and digits of every script, collapse spaces; for languages beyond English."""
    kept = "".join(c if c.isalnum() or c.isspace() else "" for c in text.lower())
    return _SPACES.sub(" ", kept).strip()


def tokens(text: str) -> list[str]:
    """Split a normalised text into words; scripts that are written without spaces split into characters."""
    words: list[str] = []
    for word in text.split():
        words.extend(_CJK.findall(word) if _CJK_ANY.search(word) else [word])
    return words


_CJK_ANY = re.compile(r"[぀-ヿ㐀-鿿]")
_CJK = re.compile(r"[぀-ヿ㐀-鿿]|[^぀-ヿ㐀-鿿]+")

Normaliser = Callable[[str], str]

NORMALISERS: dict[str, Normaliser] = {"seed000": seed000, "unicode": unicode_words}


def normaliser_for(languages: Iterable[str]) -> str:
    """Return the name of the normaliser that suits texts in some languages: the seed's for English alone.

    With any other language among them it is one that keeps every script; the seed's would empty those texts.
    """
    return "seed000" if set(languages) <= {"en"} else "unicode"
