"""One function that reads any reply."""

import re
from dataclasses import replace

from radvqa.curating.parsing.from_json import from_json
from radvqa.curating.parsing.from_lines import from_lines
from radvqa.curating.parsing.tidy import tidy, without_fences
from radvqa.curating.parsing.written import Parsed, Written

_NOTHING = Parsed((), "nothing")
_OPENING = re.compile(
    r"^\s*(?:sure|certainly|of course|here(?:'s| is| are)|below (?:is|are)|okay|ok|the (?:rewritten|following))\b"
    r"[^\n]*:\s*\n+",
    re.IGNORECASE,
)
_CLOSING = re.compile(r"\n\s*\n\s*(?:let me know|please let me|i hope|note\b|feel free)[^\n]*(?:\n.*)?$", re.I | re.S)


def read_pairs(reply: str, *, choice: bool = False, cut: bool = False) -> Parsed:
    """Read the pairs of a reply: as JSON where it holds any, else by labels, numbers or question marks.

    Args:
        reply: of the language model.
        choice: whether multiple choice was asked for.
        cut: whether the reply ended at its limit of tokens; its last pair is then marked as not whole.
    """
    found = from_json(reply) or from_lines(without_fences(reply), choice=choice) or _NOTHING
    if not cut or not found.pairs or (found.form == "json" and reply.rstrip().endswith(("}", "]", "```"))):
        return found
    if found.form == "json":
        return found  # what was cut off is no whole JSON, and was not read
    return replace(found, pairs=(*found.pairs[:-1], replace(found.pairs[-1], whole=False)))


def read_text(reply: str, question: str, *, cut: bool = False) -> Parsed:
    """Take a reply as one text, such as a description, without what a model says around it.

    Args:
        reply: of the language model.
        question: that the text answers.
        cut: whether the reply ended at its limit of tokens.
    """
    text = _CLOSING.sub("", _OPENING.sub("", without_fences(reply))).strip()
    text = tidy(re.sub(r"\s*\n\s*", " ", text))
    return Parsed((Written(question, text, whole=not cut),), "text") if text else _NOTHING
