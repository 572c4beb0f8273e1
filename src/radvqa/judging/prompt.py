"""What a judge reads: the template filled in, with texts that cannot step out of their quotation marks."""

import re
from typing import Any

from radvqa.endpoint.exchange import ChatRequest, user_message
from radvqa.endpoint.quoting import quoted
from radvqa.judging.template import PLACEHOLDERS, Template

_PLACES = re.compile(rf"\{{({'|'.join(PLACEHOLDERS)})\}}")


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
