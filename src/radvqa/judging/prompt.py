"""What a judge reads: the template filled in, with texts that cannot step out of their quotation marks."""

import json
import re
from typing import Any

from radvqa.endpoint.exchange import ChatRequest, user_message
from radvqa.judging.template import PLACEHOLDERS, Template

LONGEST = 4000  # characters of one text that a judge sees

_PLACES = re.compile(rf"\{{({'|'.join(PLACEHOLDERS)})\}}")
_MARK = re.compile(r"<(?![\s\d=.])|\[(?=/?[A-Z_]+\])")
"""Where a chat template's own marks, such as ``<|im_end|>`` or ``[/INST]``, could begin."""


def quoted(text: str) -> str:
    r"""Write a text as a JSON string of one line.

    What could be a mark of the judge's own chat template is written as an escape (``<`` as ``\u003c``), half a
    character pair as a question mark; of a text longer than 4,000 characters the rest is cut, and said to be.
    """
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} … [cut: {LONGEST} of {len(text)} characters]"
    whole = text.encode("utf-8", "replace").decode()
    return _MARK.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(whole, ensure_ascii=False))


def judge_request(template: Template, question: str, gold: str, answer: str, *, reminder: bool = False) -> ChatRequest:
    """Ask for the verdict on one answer; a reminder follows where an earlier reply could not be read."""
    texts = {"question": quoted(question), "gold": quoted(gold), "answer": quoted(answer)}
    prompt = _PLACES.sub(lambda found: texts[found[1]], template.text)
    if reminder:
        words = " or ".join(f'"{verdict}"' for verdict in template.scale)
        prompt += (
            f"\n\nAn earlier reply held no verdict that could be read. Reply with nothing but a JSON object whose "
            f'"verdict" is {words}.'
        )
    return ChatRequest([user_message(prompt)], _schema(template))


def _schema(template: Template) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "verdict": {"type": "string", "enum": list(template.scale)},
            "reason": {"type": "string"},
        },
        "required": ["verdict", "reason"],
        "additionalProperties": False,
    }
