"""Texts of others inside a prompt: quoted, so that they stay data."""

import json
import re

LONGEST = 4000
"""Characters of one text that a model is shown, where the caller sets no other limit."""

_MARK = re.compile(r"<(?![\s\d=.])|\[(?=/?[A-Z_]+\])")
"""Where a chat template's own marks, such as ``<|im_end|>`` or ``[/INST]``, could begin."""


def quoted(text: str, longest: int = LONGEST) -> str:
    r"""Write a text as a JSON string of one line.

    What could be a mark of the model's own chat template is written as an escape (``<`` as ``\u003c``), half a
    character pair as a question mark; of a text longer than ``longest`` characters the rest is cut, and said to be.
    """
    if len(text) > longest:
        text = f"{text[:longest]} … [cut: {longest} of {len(text)} characters]"
    whole = text.encode("utf-8", "replace").decode()
    return _MARK.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(whole, ensure_ascii=False))
