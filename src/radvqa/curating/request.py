"""What a model is asked: the template with the texts of one picture in their places, and maybe the picture."""

from typing import Any

from radvqa.curating.material import LONGEST, Material
from radvqa.curating.template import PLACE, TEXTS, Template
from radvqa.endpoint.exchange import ChatRequest, Message, user_message
from radvqa.endpoint.quoting import quoted

_OPTIONS = 4


def request_for(template: Template, material: Material, picture: str | None = None) -> ChatRequest:
    """Ask for the pairs of one picture.

    Args:
        template: says what to write.
        material: texts, which go in as quoted data.
        picture: as a data URI, for endpoints that take pictures; None sends none.
    """
    facts = "; ".join(f"{name}: {text}" for name, text in material.facts)
    texts = {
        "caption": quoted(material.caption, LONGEST),
        "facts": quoted(facts, LONGEST),
        "context": quoted(material.context, LONGEST),
        "count": str(template.pairs),
    }
    prompt = PLACE.sub(lambda found: texts[found[1]], template.text)
    return ChatRequest([_message(prompt, picture)], None if template.kind in TEXTS else _schema(template))


def _message(prompt: str, picture: str | None) -> Message:
    if picture is None:
        return user_message(prompt)
    shown = {"type": "image_url", "image_url": {"url": picture}}
    return {"role": "user", "content": [shown, {"type": "text", "text": prompt}]}


def _schema(template: Template) -> dict[str, Any]:
    """JSON that a reply must be, where the server can hold to it."""
    texts: dict[str, Any] = {"question": {"type": "string"}, "answer": {"type": "string"}}
    if template.kind == "closed":
        texts["answer"] = {"type": "string", "enum": ["Yes", "No"]}
    if template.kind == "choice":
        listed = {"type": "array", "items": {"type": "string"}, "minItems": _OPTIONS, "maxItems": _OPTIONS}
        texts = {"question": texts["question"], "options": listed, "answer": texts["answer"]}
    pair = {"type": "object", "properties": texts, "required": list(texts), "additionalProperties": False}
    pairs = {"type": "array", "items": pair, "maxItems": template.pairs}
    return {"type": "object", "properties": {"pairs": pairs}, "required": ["pairs"], "additionalProperties": False}
